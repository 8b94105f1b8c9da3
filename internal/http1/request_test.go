package http1

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mustRequest builds a request to url with a run id, after edit has changed it.
func mustRequest(t testing.TB, url string, edit ...func(*Spec)) *Request {
	t.Helper()
	s := Spec{URL: url, Run: "run"}
	for _, e := range edit {
		e(&s)
	}
	r, err := NewRequest(s)
	require.NoError(t, err)
	return r
}

func TestRequestBytes(t *testing.T) {
	r := mustRequest(t, "http://example.com/a?b#c", func(s *Spec) {
		s.Method, s.Body, s.UserAgent, s.Run = "POST", []byte("body"), "load-tester/1.2", "r7"
		s.Header = []Field{{"x-one", " 1 "}, {"X-Two", ""}, {"x-one", "2"}}
	})
	want := "POST /a?b HTTP/1.1\r\nHost: example.com\r\nUser-Agent: load-tester/1.2\r\nAccept: */*\r\n" +
		"X-Request-Id: r7-000000000000\r\nContent-Length: 4\r\nx-one: 1\r\nX-Two: \r\nx-one: 2\r\n\r\nbody"
	assert.Equal(t, want, string(r.Bytes()))
	assert.Nil(t, r.Rest())
	assert.Equal(t, "POST", r.Method())
	assert.False(t, r.Head())
	assert.Equal(t, "http://example.com/a?b#c", r.URL())
	assert.Equal(t, "http://xxxxx@h/?p@q:r", mustRequest(t, "http://u:secret@h/?p@q:r").URL(), "no password in a report")
}

func TestRequestURL(t *testing.T) {
	check := func(url, host, port, hostField, path, why string) {
		t.Helper()
		r, err := NewRequest(Spec{URL: url, Run: "r"})
		if !assert.NoError(t, err, why) {
			return
		}
		assert.Equal(t, host, r.Host(), why)
		assert.Equal(t, port, r.Port(), why)
		assert.Equal(t, strings.HasPrefix(strings.ToLower(url), "https"), r.TLS(), why)
		lines := strings.SplitN(string(r.Bytes()), "\r\n", 3)
		assert.Equal(t, "GET "+path+" HTTP/1.1", lines[0], why)
		assert.Equal(t, "Host: "+hostField, lines[1], why)
	}
	check("http://a.example", "a.example", "80", "a.example", "/", "an empty path is /")
	check("https://a.example", "a.example", "443", "a.example", "/", "the default port of https")
	check("HTTPS://A.example/", "A.example", "443", "A.example", "/", "schemes have no case, names keep theirs")
	check("http://a.example:80/", "a.example", "80", "a.example", "/", "the default port is left out of Host")
	check("https://a.example:443/", "a.example", "443", "a.example", "/", "the default port is left out of Host")
	check("http://a.example:443/", "a.example", "443", "a.example:443", "/", "443 is not the default of http")
	check("http://a.example:8080/", "a.example", "8080", "a.example:8080", "/", "any other port is in Host")
	check("http://a.example:08080/", "a.example", "8080", "a.example:08080", "/", "as given in Host, a number to dial")
	check("http://a.example:65535/", "a.example", "65535", "a.example:65535", "/", "the last port")
	check("http://a.example:/", "a.example", "80", "a.example", "/", "an empty port is the default (RFC 3986 section 3.2.3)")
	check("http://127.0.0.1:1/", "127.0.0.1", "1", "127.0.0.1:1", "/", "IPv4")
	check("http://[::1]/", "::1", "80", "[::1]", "/", "IPv6 keeps its brackets in Host")
	check("http://[::1]:8080/x", "::1", "8080", "[::1]:8080", "/x", "IPv6 with a port")
	check("http://[fe80::1%25eth0]:81/", "fe80::1%eth0", "81", "[fe80::1]:81", "/", "a zone as RFC 6874 writes it; it stays off the wire")
	check("http://[fe80::1%eth0]/", "fe80::1%eth0", "80", "[fe80::1]", "/", "a zone as ping writes it")
	check("http://[::ffff:1.2.3.4]/", "::ffff:1.2.3.4", "80", "[::ffff:1.2.3.4]", "/", "IPv4 in IPv6")
	check("http://a_b.example./", "a_b.example.", "80", "a_b.example.", "/", "underscore and trailing dot are for the resolver to judge")
	check("http://a?q", "a", "80", "a", "/?q", "a query without a path")
	check("http://a/?", "a", "80", "a", "/?", "an empty query is kept")
	check("http://a#f", "a", "80", "a", "/", "the fragment is dropped")
	check("http://a/p?q=#f?g/h#i", "a", "80", "a", "/p?q=", "from its first #")
	check("http://a//b/../c/./%7e%2f%zz;p?x=[1]&y=\"{}|\\^`'", "a", "80", "a",
		"//b/../c/./%7e%2f%zz;p?x=[1]&y=\"{}|\\^`'", "nothing is cleaned, decoded or encoded")
	check("http://a/ü?\xff", "a", "80", "a", "/ü?\xff", "octets past ASCII go out as they are")
	check("http://a/b@c:d?e@f://g", "a", "80", "a", "/b@c:d?e@f://g", "@ and : past the authority mean nothing")
	check("http://u:p@a:81/", "a", "81", "a:81", "/", "userinfo is not part of Host")
	check("https://Bücher.example:81/ü", "xn--bcher-kva.example", "81", "xn--bcher-kva.example:81", "/ü", "IDNA for Host, DNS and TLS; the path is as given")
	check("http://例え。jp", "xn--r8jz45g.jp", "80", "xn--r8jz45g.jp", "/", "an ideographic full stop separates labels")
	check("http://XN--bcher-kva.example", "XN--bcher-kva.example", "80", "XN--bcher-kva.example", "/", "ASCII stays as it is")
}

func TestRequestURLErrors(t *testing.T) {
	check := func(url, want, why string) {
		t.Helper()
		_, err := NewRequest(Spec{URL: url, Run: "r"})
		assert.ErrorContains(t, err, want, why)
	}
	check("", `url "": empty`, "nothing given")
	check("localhost:8080", "no scheme; want http:// or https://", "the usual slip")
	check("/path?u=http://x", "no scheme", "a scheme further on is none")
	check("://a", `scheme ""`, "empty scheme")
	check("ftp://a/", `url "ftp://a/": scheme "ftp"; want http or https`, "another scheme")
	check("http://", "no host", "nothing after the scheme")
	check("http:///path", "no host", "an empty authority")
	check("http://:80/", "no host", "only a port")
	check("http://u@/", "no host", "only userinfo")
	check("http://a:99999/", `port "99999"; want a number from 1 to 65535`, "above the range")
	check("http://a:0/", `port "0"`, "below the range")
	check("http://a:-1/", `port "-1"`, "a sign")
	check("http://a:+1/", `port "+1"`, "a sign")
	check("http://a:8o/", "port is not a number", "it may be a password")
	check("http://a:1:2/", `port "1:2"`, "two ports")
	check("http://::1/", "write [::1]", "IPv6 wants brackets")
	check("http://[::1/", "no ] after", "unclosed bracket")
	check("http://[::1]x/", `"x" after the IPv6 address`, "something between ] and /")
	check("http://[::g]/", `"::g" is not an IPv6 address`, "not an address")
	check("http://[1.2.3.4]/", "is not an IPv6 address", "brackets are for IPv6")
	check("http://[]/", "is not an IPv6 address", "empty brackets")
	check("http://[fe80::1%]/", "is not an IPv6 address", "an empty zone")
	check("http://[fe80::1%a b]/", `character ' ' in the zone`, "a zone that cannot be one")
	check("http://a b/", `character ' ' in host "a b"`, "space in the host")
	check("http://a\r\nb/", `character '\r'`, "line end in the host")
	check("http://a%41/", `character '%'`, "an escape in the host")
	check("http://a\\b/", `character '\\'`, "a backslash is no slash")
	check("http://bü_cher.example/", `host "bü_cher.example": idna: `, "no IDNA name")
	check("http://bü\xff.example/", `host "bü\xff.example": `, "not UTF-8")
	check("http://\u00ad/", "not a name", "a soft hyphen alone")
	check("http://a/b c", "space in path or query", "space would end the request-target")
	check("http://a/?b c", "write it as %20", "in the query too")
	check("http://a/\r\nX: y", `control character '\r'`, "a line end would start a header")
	check("http://a/\n", `write it as %0A`, "a bare LF ends a line too")
	check("http://a/\x00", `control character '\x00'`, "NUL")
	check("http://a/\x7f", `control character '\x7f'`, "DEL")
	check("http://a/\t", `control character '\t'`, "tab")
	check("http://a%3ab:c@h/", "has a colon", "basic authentication could not tell where the name ends")
	check("http://a%zz:c@h/", "user name has a %", "a bad escape")
	check("http://a:c%@h/", "password has a %", "a bad escape")
	check("http://a:c%0a@h/", "control character in user name or password", "RFC 7617 forbids it")
	check("http://user:secret@h:0/", `url "http://xxxxx@h:0/"`, "no password in a message")
}

func TestRequestAuthorization(t *testing.T) {
	check := func(url, want, why string, given ...Field) {
		t.Helper()
		head := string(mustRequest(t, url, func(s *Spec) { s.Header = given }).Bytes())
		if want == "" {
			assert.NotContains(t, head, "uthorization:", why)
			return
		}
		assert.Contains(t, head, "\r\n"+want+"\r\n", why)
		assert.Equal(t, 1, strings.Count(strings.ToLower(head), "authorization:"), why)
	}
	check("http://h/", "", "no userinfo")
	check("http://@h/", "", "empty userinfo")
	check("http://user:pass@h/", "Authorization: Basic dXNlcjpwYXNz", "user:pass")
	check("http://user@h/", "Authorization: Basic dXNlcjo=", "user: and no password")
	check("http://u%40x:p%3A%2f@h/", "Authorization: Basic dUB4OnA6Lw==", "u@x:p:/ after decoding")
	check("http://a@b:c@h/", "Authorization: Basic YUBiOmM=", "the last @ ends it")
	check("http://user:pass@h/", "authorization: Bearer t", "the user's field wins", Field{"authorization", "Bearer t"})
}

func TestRequestHeaderReplaces(t *testing.T) {
	r := mustRequest(t, "http://example.com/", func(s *Spec) {
		s.Method, s.Body, s.UserAgent, s.Traceparent, s.NoKeepAlive = "PUT", []byte("12"), "ours", true, true
		s.Header = []Field{
			{"content-length", "2"}, {"user-agent", "theirs"}, {"ACCEPT", "text/html"}, {"x-request-id", "fixed"},
			{"TraceParent", "00-x"}, {"connection", "Upgrade, keep-alive"}, {"hOST", "other:1"},
		}
	})
	want := "PUT / HTTP/1.1\r\nhOST: other:1\r\ncontent-length: 2\r\nuser-agent: theirs\r\nACCEPT: text/html\r\n" +
		"x-request-id: fixed\r\nTraceParent: 00-x\r\nconnection: Upgrade, keep-alive\r\n\r\n12"
	b := r.Bytes()
	assert.Equal(t, want, string(b))
	r.Patch(b, 7)
	assert.Equal(t, want, string(b), "nothing of ours is left to patch")
	assert.False(t, r.KeepAlive(), "NoKeepAlive holds whatever the field says")
	assert.Equal(t, "example.com", r.Host(), "Host does not redirect the connection")
}

func TestRequestWithout(t *testing.T) {
	r := mustRequest(t, "http://u:p@h/", func(s *Spec) {
		s.Method, s.UserAgent, s.Traceparent, s.NoKeepAlive = "POST", "ours", true, true
		s.Without = []string{"user-agent", "Accept", "X-Request-Id", "Traceparent", "Authorization", "Connection", "Content-Length", "X-Not-Ours"}
	})
	b := r.Bytes()
	r.Patch(b, 7)
	assert.Equal(t, "POST / HTTP/1.1\r\nHost: h\r\n\r\n", string(b))
	assert.False(t, r.KeepAlive(), "NoKeepAlive holds whatever is sent")

	r = mustRequest(t, "http://h/", func(s *Spec) {
		s.Without, s.Header = []string{"Accept", "X-Request-Id"}, []Field{{"accept", "text/html"}}
	})
	assert.Equal(t, "GET / HTTP/1.1\r\nHost: h\r\naccept: text/html\r\n\r\n", string(r.Bytes()), "the user's own is sent")
}

func TestRequestKeepAlive(t *testing.T) {
	check := func(want bool, field, why string, edit ...func(*Spec)) {
		t.Helper()
		r := mustRequest(t, "http://h/", edit...)
		assert.Equal(t, want, r.KeepAlive(), why)
		assert.Equal(t, field != "", strings.Contains(string(r.Bytes()), "\r\n"+field+"\r\n") && field != "", why)
	}
	given := func(v string) func(*Spec) {
		return func(s *Spec) { s.Header = append(s.Header, Field{"Connection", v}) }
	}
	check(true, "", "HTTP/1.1 keeps alive without a word")
	check(false, "Connection: close", "NoKeepAlive", func(s *Spec) { s.NoKeepAlive = true })
	check(false, "Connection: foo, Close", "the user's close counts, in any case and place", given("foo, Close"))
	check(false, "Connection: close", "on any of its lines", given("foo"), given("close"))
	check(true, "Connection: closed", "only as a whole word", given("closed"))
}

func TestRequestContentLength(t *testing.T) {
	check := func(method, body, want, why string) {
		t.Helper()
		head := string(mustRequest(t, "http://h/", func(s *Spec) { s.Method, s.Body = method, []byte(body) }).Bytes())
		if want == "" {
			assert.NotContains(t, head, "Content-Length", why)
			return
		}
		assert.Contains(t, head, "\r\nContent-Length: "+want+"\r\n", why)
		assert.True(t, strings.HasSuffix(head, "\r\n\r\n"+body), why)
	}
	check("", "", "", "GET has no body to announce")
	check("HEAD", "", "", "nor has HEAD")
	check("DELETE", "", "", "nor DELETE")
	check("POST", "", "0", "a server may insist on it")
	check("PUT", "", "0", "a server may insist on it")
	check("PATCH", "", "0", "a server may insist on it")
	check("GET", "abc", "3", "any method may have a body")
	check("DELETE", "abc", "3", "any method may have a body")
}

func TestRequestErrors(t *testing.T) {
	check := func(why string, want string, edit func(*Spec)) {
		t.Helper()
		s := Spec{URL: "http://h/", Run: "r"}
		edit(&s)
		_, err := NewRequest(s)
		assert.ErrorContains(t, err, want, why)
	}
	field := func(name, value string) func(*Spec) {
		return func(s *Spec) { s.Header = append(s.Header, Field{name, value}) }
	}
	check("a space would end it", `method "GET /"`, func(s *Spec) { s.Method = "GET /" })
	check("a line end would end it", `method "G\r\n"`, func(s *Spec) { s.Method = "G\r\n" })
	check("a tunnel is no request", `method "CONNECT"`, func(s *Spec) { s.Method = "CONNECT" })
	check("ids need a run", "run id is empty", func(s *Spec) { s.Run = "" })
	check("it goes into a field", `run id "a\n"`, func(s *Spec) { s.Run = "a\n" })
	check("it goes into a field", "user agent: control character", func(s *Spec) { s.UserAgent = "a\r\nb" })
	check("an empty name", "header: name is not a token", field("", "v"))
	check("a name with a space", "header: name is not a token", field("a ", "v"))
	check("a name with a colon", "header: name is not a token", field("a:b", "v"))
	check("a value with a line end", `header A: control character '\n'`, field("A", "b\nC: d"))
	check("a value with NUL", `header A: control character '\x00'`, field("A", "\x00"))
	check("another framing than ours", "header transfer-encoding: the body is sent with a Content-Length", field("transfer-encoding", "chunked"))
	check("a length that is a lie", "header Content-Length: another number, but the body has 0 octets", field("Content-Length", "5"))
	check("a request has one", "header Host: given 2 times", func(s *Spec) { field("Host", "a")(s); field("host", "b")(s) })
	without := func(name string) func(*Spec) {
		return func(s *Spec) { s.Without, s.Body = []string{name}, []byte("abc") }
	}
	check("HTTP/1.1 requires it", "header Host: cannot be left out", without("host"))
	check("it frames the body", "header Content-Length: cannot be left out", without("Content-Length"))
	check("a name with a space", "header: name is not a token", without("a "))

	_, err := NewRequest(Spec{Method: "a b", URL: "ftp://h", Run: "r", Header: []Field{{"", ""}}})
	assert.Len(t, strings.Split(err.Error(), "\n"), 3, "all faults at once, a line each")
	_, err = NewRequest(Spec{URL: "http://h", Run: "r", Header: []Field{{"T", "a\tb \x80"}}})
	assert.NoError(t, err, "tab and octets past ASCII are allowed in a value")
}

func TestRequestRest(t *testing.T) {
	check := func(body int, inline bool, why string) {
		t.Helper()
		r := mustRequest(t, "http://h/", func(s *Spec) { s.Body = bytes.Repeat([]byte("x"), body) })
		all := len(r.Bytes()) + len(r.Rest())
		assert.Equal(t, inline, r.Rest() == nil, why)
		assert.True(t, strings.HasSuffix(string(r.Bytes()), map[bool]string{true: "\r\n\r\n" + strings.Repeat("x", body), false: "\r\n\r\n"}[inline]), why)
		assert.Equal(t, inline, all <= maxInline, why)
	}
	const head = len("GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nX-Request-Id: run-000000000000\r\nContent-Length: 16384\r\n\r\n")
	check(0, true, "no body")
	check(maxInline-head, true, "the last that fits")
	check(maxInline-head+1, false, "the first that does not")
	check(1<<20, false, "far too large")
}

func TestRequestPatch(t *testing.T) {
	r := mustRequest(t, "http://h/", func(s *Spec) { s.Traceparent = true })
	b, other := r.Bytes(), r.Bytes()
	untouched := string(other)
	traces := map[string]bool{}
	for _, n := range []int64{0, 1, 9, 10, 123456789012, idNumbers - 1} {
		r.Patch(b, n)
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		require.NoError(t, err)
		assert.Equal(t, r.ID(n), req.Header.Get("X-Request-Id"))
		trace := req.Header.Get("Traceparent")
		assert.Regexp(t, "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", trace)
		assert.NotContains(t, trace, strings.Repeat("0", 16), "neither id may be zero")
		traces[trace] = true
	}
	assert.Len(t, traces, 6, "every request has a trace of its own")
	assert.Equal(t, untouched, string(other), "copies are private")
	assert.Equal(t, "run-000000000042", r.ID(42))
	assert.Equal(t, "run-000000000001", r.ID(idNumbers+1), "numbers start again")
	assert.Zero(t, testing.AllocsPerRun(100, func() { r.Patch(b, 77) }))

	again := mustRequest(t, "http://h/", func(s *Spec) { s.Traceparent = true })
	third := mustRequest(t, "http://h/", func(s *Spec) { s.Traceparent, s.Run = true, "nur" })
	x, y, z := r.Bytes(), again.Bytes(), third.Bytes()
	r.Patch(x, 5)
	again.Patch(y, 5)
	third.Patch(z, 5)
	assert.Equal(t, string(x), string(y), "derived from run and number alone")
	assert.NotEqual(t, string(x[len(x)-60:]), string(z[len(z)-60:]), "another run, other traces")
}

// FuzzRequest checks that net/http parses every accepted request as exactly one
// request, and as the one meant.
func FuzzRequest(f *testing.F) {
	f.Add("http://u:p@[::1%25lo]:81/a?b#c", "POST", "X-A", "b", []byte("body"))
	f.Add("https://example.com", "", "Host", "a.b:1", []byte(nil))
	f.Add("http://a/\r\n", "GET", "Content-Length", "4", []byte("1234"))
	f.Fuzz(func(t *testing.T, url, method, name, value string, body []byte) {
		r, err := NewRequest(Spec{URL: url, Method: method, Run: "r", Header: []Field{{name, value}}, Body: body})
		if err != nil {
			return
		}
		rd := bufio.NewReader(bytes.NewReader(append(r.Bytes(), r.Rest()...)))
		req, err := http.ReadRequest(rd)
		if err != nil {
			t.Skip("net/http judges the URI or the Host field, which we leave to the server")
		}
		got := new(bytes.Buffer)
		_, err = got.ReadFrom(req.Body)
		require.NoError(t, err)
		assert.Equal(t, string(body), got.String())
		assert.Equal(t, r.path, req.RequestURI)
		assert.Equal(t, r.method, req.Method)
		_, err = rd.ReadByte()
		assert.Error(t, err, "nothing follows the request")
	})
}

func BenchmarkRequestPatch(b *testing.B) {
	r := mustRequest(b, "http://h/")
	out := r.Bytes()
	b.ReportAllocs()
	for n := int64(0); b.Loop(); n++ {
		r.Patch(out, n)
	}
}
