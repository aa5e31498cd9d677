// Two targets as Go programs have them: net/http's ServeMux with encoding/json into a struct, and the same behind middleware
// that tidies paths. Prints both ports, then serves until its input ends. GET /-/seen is what the handlers did since the last.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
)

type refund struct {
	Amount float64 `json:"amount"`
	Risk   string  `json:"risk"`
}

type act struct {
	Handler string `json:"handler"`
	URL     string `json:"url"`
	refund
}

var lock sync.Mutex
var seen = []act{}

func did(w http.ResponseWriter, one act) {
	lock.Lock()
	defer lock.Unlock()
	seen = append(seen, one)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"ok":true}`)
}

func serve(handler http.Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(listener, handler) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/refunds", func(w http.ResponseWriter, r *http.Request) {
		one := act{Handler: "refund", URL: r.RequestURI}
		if err := json.NewDecoder(r.Body).Decode(&one.refund); err != nil && err != io.EOF {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		did(w, one)
	})
	mux.HandleFunc("/-/seen", func(w http.ResponseWriter, _ *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		_ = json.NewEncoder(w).Encode(seen)
		seen = []act{}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { did(w, act{Handler: "other", URL: r.RequestURI}) })
	serve(mux)
	serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.ToLower(strings.TrimRight(r.URL.Path, "/ ."))
		mux.ServeHTTP(w, r)
	}))
	_, _ = io.Copy(io.Discard, os.Stdin)
}
