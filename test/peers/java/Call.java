// One call of java.net.http as a program makes it: method, URL, bearer grant, and a number of bytes to upload.
// Prints the status, then the body.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class Call {
    public static void main(String[] args) throws Exception {
        int size = Integer.parseInt(args[3]);
        var client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.ALWAYS).build();
        var request = HttpRequest.newBuilder(URI.create(args[1]))
            .method(args[0], size > 0 ? BodyPublishers.ofString("x".repeat(size)) : BodyPublishers.noBody())
            .header("Authorization", "Bearer " + args[2])
            .build();
        try {
            var response = client.send(request, BodyHandlers.ofString());
            System.out.print(response.statusCode() + "\n" + response.body());
        } catch (java.io.IOException error) {
            System.out.println("error " + error);
        }
        System.exit(0);
    }
}
