// One call of net/http as a program makes it: method, URL, bearer grant, and a number of bytes to upload.
// Prints the status, then the body.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

func main() {
	method, url, grant := os.Args[1], os.Args[2], os.Args[3]
	size, _ := strconv.Atoi(os.Args[4])
	var body io.Reader
	if size > 0 {
		body = bytes.NewReader(bytes.Repeat([]byte("x"), size))
	}
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer "+grant)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Printf("%d\n%s", response.StatusCode, answer)
}
