"""One call of requests or httpx as a program makes it: library, method, URL, bearer grant, and a number of bytes to upload.
Prints the status, then the body."""
import sys

library, method, url, grant, size = sys.argv[1:]
body = b'x' * int(size) or None
headers = {'authorization': f'Bearer {grant}'}
try:
    if library == 'requests':
        import requests

        # A session keeps its headers for redirects, as programs with more than one call have it.
        session = requests.Session()
        session.headers.update(headers)
        response = session.request(method, url, data=body)
    else:
        import httpx

        response = httpx.Client(headers=headers, follow_redirects=True).request(method, url, content=body)
    print(response.status_code)
    print(response.text, end='')
except Exception as error:
    print('error', type(error).__name__, error)
