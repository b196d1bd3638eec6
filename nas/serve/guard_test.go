package serve

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ask sends bytes to a server and returns the status line of its answer and the rest.
func ask(t *testing.T, s *Server, request string) (status, rest string) {
	t.Helper()
	c, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(slow)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, request) }() // the server may end before it has read all
	r := bufio.NewReader(c)
	status, _ = r.ReadString('\n')
	body, _ := io.ReadAll(r)
	return strings.TrimSpace(status), string(body)
}

func TestOutside(t *testing.T) {
	// No address leads out of the folder, nor does a link in it, and no page tells of what is there.
	outside := t.TempDir()
	secret := makeRun(t, outside, "secret", epochLine(0), epochLine(1), epochLine(2))
	write(t, filepath.Join(secret, "note"), "SECRET")
	dir := filepath.Join(outside, "runs")
	makeRun(t, dir, "a", epochLine(0))
	makeRun(t, dir, ".hidden", epochLine(0))
	for link, to := range map[string]string{"link": secret, "up": "..", "within": "a"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	linked := makeRun(t, dir, "linked", epochLine(0)) // its metrics are another run's
	if err := os.Remove(filepath.Join(linked, "metrics.jsonl")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(secret, "metrics.jsonl"), filepath.Join(linked, "metrics.jsonl")); err != nil {
		t.Fatal(err)
	}
	s := start(t, dir, "127.0.0.1:0")
	for _, path := range []string{
		"../secret", "..%2fsecret", "%2e%2e/secret", "%2e%2e%2fsecret", "a/../../secret", "a/%2e%2e/%2e%2e/secret", "link", "link/", "up/secret",
		"within", url.PathEscape(secret), secret, "/" + secret, "a/note", "..", "%2e%2e", "./a", ".hidden", "a/", "a%00", `..\secret`, `..%5csecret`, strings.Repeat("a/", 3000),
	} {
		for _, page := range []string{"/run/", "/json/", "/compare?run=a&run=", "/events/"} {
			status, rest := ask(t, s, "GET "+page+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
			if strings.Contains(status, " 200 ") || strings.Contains(rest, "sep_conv") || strings.Contains(rest, "SECRET") {
				t.Errorf("%s%s: %s\n%s", page, path, status, rest)
			}
		}
	}
	for _, path := range []string{"/run/linked", "/json/linked", "/compare?run=linked&run=linked", "/", "/json", "/metrics"} {
		if _, body := get(t, s, path); strings.Contains(body, "sep_conv") || strings.Contains(body, "epoch 3 of") || strings.Contains(body, `"epoch": 3`) || strings.Contains(body, "secret") {
			t.Errorf("%s:\n%s", path, body)
		}
	}
	if _, body := get(t, s, "/"); strings.Contains(body, "hidden\"") || strings.Contains(body, "/run/link\"") || strings.Contains(body, "within") {
		t.Errorf("the list follows links:\n%s", body)
	}
}

func TestRefuses(t *testing.T) {
	// A server on this machine reads and nothing else, and answers to no other name when asked for one.
	dir := t.TempDir()
	makeRun(t, dir, "a", epochLine(0))
	s := start(t, dir, "127.0.0.1:0")
	port := s.listener.Addr().(*net.TCPAddr).Port
	for _, test := range []struct{ request, want string }{
		{"GET / HTTP/1.1\r\nHost: localhost", "200 OK"},
		{"HEAD / HTTP/1.1\r\nHost: localhost", "200 OK"},
		{"HEAD /events HTTP/1.1\r\nHost: localhost", "200 OK"},
		{fmt.Sprintf("GET / HTTP/1.1\r\nHost: 127.0.0.1:%d", port), "200 OK"},
		{"GET / HTTP/1.1\r\nHost: localhost:8000", "200 OK"}, // through a tunnel
		{"GET / HTTP/1.1\r\nHost: [::1]:8000", "200 OK"},
		{"GET / HTTP/1.1\r\nHost: evil.example", "403 Forbidden"},
		{"GET / HTTP/1.1\r\nHost: localhost.evil.example", "403 Forbidden"},
		{"GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example:6006", "403 Forbidden"},
		{"GET / HTTP/1.1\r\nHost: 192.168.1.1", "403 Forbidden"},
		{"GET http://evil.example/ HTTP/1.1\r\nHost: localhost", "403 Forbidden"},
		{"GET / HTTP/1.1\r\nHost:", "403 Forbidden"},
		{"GET / HTTP/1.0\r\nX: y", "403 Forbidden"},
		{"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0", "405 Method Not Allowed"},
		{"PUT /run/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0", "405 Method Not Allowed"},
		{"DELETE /run/a HTTP/1.1\r\nHost: localhost", "405 Method Not Allowed"},
		{"OPTIONS * HTTP/1.1\r\nHost: localhost", "405 Method Not Allowed"},
		{"CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost", "405 Method Not Allowed"},
		{"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("y", 64<<10), "431 Request Header Fields Too Large"},
		{"GET /" + strings.Repeat("y", 64<<10) + " HTTP/1.1\r\nHost: localhost", "431 Request Header Fields Too Large"},
		{"nonsense", "400 Bad Request"},
	} {
		status, rest := ask(t, s, test.request+"\r\nConnection: close\r\n\r\n")
		if !strings.HasSuffix(status, test.want) {
			t.Errorf("%.80q: %s, want %s", test.request, status, test.want)
		}
		if test.want == "200 OK" && !strings.Contains(rest, "Content-Security-Policy: default-src 'self';") {
			t.Errorf("%.80q: no policy:\n%s", test.request, rest)
		}
		if strings.Contains(rest, "Access-Control-Allow") {
			t.Errorf("%.80q: other sites may read the answer", test.request)
		}
	}
	if after, err := os.ReadDir(filepath.Join(dir, "a")); err != nil || len(after) != 2 {
		t.Errorf("the folder has changed: %v, %v", after, err)
	}
}

func TestToken(t *testing.T) {
	// Another address than this machine's wants the token: in the address once, then in a cookie, or in a header.
	dir := t.TempDir()
	makeRun(t, dir, "a", epochLine(0))
	s := start(t, dir, "0.0.0.0:0")
	if s.handler.token == "" || !strings.Contains(s.URL(), "/?token="+s.handler.token) {
		t.Fatalf("address %s, token %q", s.URL(), s.handler.token)
	}
	status := func(path, header string) (string, string) {
		return ask(t, s, "GET "+path+" HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n"+header+"\r\n")
	}
	for _, test := range []struct{ path, header, want string }{
		{"/", "", "401"},
		{"/run/a", "", "401"},
		{"/events", "", "401"},
		{"/static/live.js", "", "401"},
		{"/?token=", "", "401"},
		{"/?token=" + s.handler.token + "x", "", "401"},
		{"/", "Cookie: " + s.handler.cookie + "=\r\n", "401"},
		{"/", "Cookie: other=" + s.handler.token + "\r\n", "401"},
		{"/", "Authorization: Bearer \r\n", "401"},
		{"/", "Authorization: Basic " + s.handler.token + "\r\n", "401"},
		{"/", "Cookie: " + s.handler.cookie + "=" + s.handler.token + "\r\n", "200"},
		{"/metrics", "Authorization: Bearer " + s.handler.token + "\r\n", "200"},
		{"/run/a?x=y&token=" + s.handler.token, "", "303"},
		{"//evil.example/?token=" + s.handler.token, "", "303"},
	} {
		line, rest := status(test.path, test.header)
		if !strings.HasPrefix(line, "HTTP/1.1 "+test.want) {
			t.Errorf("%s %s: %s, want %s", test.path, test.header, line, test.want)
		}
		switch test.want {
		case "401":
			if strings.Contains(rest, s.handler.token) || strings.Contains(rest, "validation") {
				t.Errorf("%s: tells too much:\n%s", test.path, rest)
			}
		case "303":
			if !strings.Contains(rest, "Location: /run/a?x=y\r\n") && !strings.Contains(rest, "Location: /evil.example/\r\n") {
				t.Errorf("%s: goes elsewhere:\n%s", test.path, rest)
			}
			if !strings.Contains(rest, "; HttpOnly; SameSite=Lax") {
				t.Errorf("%s: cookie:\n%s", test.path, rest)
			}
		}
	}
	if again := start(t, dir, "0.0.0.0:0"); again.handler.token == s.handler.token {
		t.Error("two servers have the same token")
	}
}

func TestSlowClient(t *testing.T) {
	// A client that opens a page of events and takes none is let go, and others do not wait for it.
	dir := t.TempDir()
	for i := range 300 {
		makeRun(t, dir, fmt.Sprintf("run-%d", i), epochLine(0), epochLine(1))
	}
	s, err := Open(dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.writeTime = 300 * time.Millisecond
	s.watch.every = 20 * time.Millisecond
	serveUntilEnd(t, s)
	s.index.scan(0)
	c, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET /events?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	joined := func() bool { return len(s.watch.names()) > 0 }
	deadline := time.Now().Add(slow)
	for !joined() && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	for n := 2; joined(); n++ { // until the buffers on the way are full
		if time.Now().After(deadline) {
			t.Fatal("the client is still there")
		}
		for i := range 300 {
			gain(t, filepath.Join(dir, fmt.Sprintf("run-%d", i)), stepLine(n, 1))
		}
		s.index.scan(0)
		if status, _ := get(t, s, "/json/run-1"); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
}

func TestSlowRequest(t *testing.T) {
	// A client that does not end its request is let go, and one of many connections gets an answer when others end.
	s, err := Open(t.TempDir(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.readTime <= 0 || s.readTime > 10*time.Second {
		t.Errorf("a request may take %v", s.readTime)
	}
	s.readTime = 300 * time.Millisecond
	serveUntilEnd(t, s)
	c, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: local"); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(slow)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("the server waits on: %v", err)
	}
}

func TestConnections(t *testing.T) {
	// A connection over the limit waits, and is answered when another ends.
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	l := &limitedListener{Listener: inner, free: make(chan struct{}, 1)}
	accepted := make(chan net.Conn)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	for range 2 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Fatal("two connections are open")
	case <-time.After(100 * time.Millisecond):
	}
	first.Close()
	first.Close() // counts once
	select {
	case c := <-accepted:
		c.Close()
	case <-time.After(slow):
		t.Fatal("the second connection waits on")
	}
}

// hostile are names of runs that a page must not act on.
var hostile = []string{
	`<script>alert(1)<`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `{{.}}`, `=1+1`,
	"esc\x1b[31mred", "turn\u202egpj.exe", "line\nbreak", "100%41?#&amp;", "\xff\xfe", "a..b", "a\\b", `</textarea></style></title>`,
}

func TestHostileNames(t *testing.T) {
	// A name that is HTML, an address, or a text of other systems does nothing on any page but stand there.
	dir := t.TempDir()
	for _, name := range hostile {
		makeRun(t, dir, name, epochLine(0), epochLine(1))
	}
	s := start(t, dir, "127.0.0.1:0")
	pages := []string{"/", "/metrics", "/json"}
	for _, name := range hostile {
		pages = append(pages, address("run", name), "/compare?"+url.Values{"run": {reference(name), reference(name)}}.Encode())
	}
	for _, path := range pages {
		status, body := get(t, s, path)
		if status != http.StatusOK {
			t.Errorf("%s: status %d", path, status)
		}
		checkInert(t, path, body)
	}
	stream := events(t, s, "/events?since=0")
	for range hostile {
		var row rowEvent
		decode(t, await(t, stream, "row", ""), &row)
		checkInert(t, "/events", row.HTML)
	}
}

// checkInert fails the test if a page has what a browser, a terminal or Prometheus would act on.
func checkInert(t *testing.T, path, body string) {
	t.Helper()
	lower := strings.ToLower(body)
	for _, bad := range []string{"<script>", "<img src=x", "\x1b", "\u202e", `href="javascript:`, "</title></", "</style></"} {
		if strings.Contains(lower, bad) && !strings.HasPrefix(path, "/json") && path != "/metrics" {
			t.Errorf("%s has %q:\n%s", path, bad, body)
		}
	}
	if path == "/metrics" {
		for line := range strings.Lines(body) {
			if !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "godarts_run_") {
				t.Errorf("%s: a name made the line %q", path, line)
			}
		}
	}
	if path == "/json" && strings.ContainsAny(body, "\x1b<>") {
		t.Errorf("%s:\n%s", path, body)
	}
	if path != "/json" && path != "/metrics" && strings.Contains(lower, "onmouseover='") || strings.Contains(lower, ` onmouseover="`) {
		t.Errorf("%s has a handler:\n%s", path, body)
	}
}
