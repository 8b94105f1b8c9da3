package http1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parsePieces parses an answer to r that arrives in pieces of the given size, twice
// on one connection.
func parsePieces(t *testing.T, r *Request, answer string, size int) *Parser {
	t.Helper()
	p := NewParser(r)
	for range 2 {
		p.Reset(false)
		done := false
		for rest := []byte(answer); len(rest) > 0; {
			k := min(size, len(rest))
			var err error
			_, done, err = p.Feed(rest[:k])
			require.NoError(t, err)
			rest = rest[k:]
		}
		require.True(t, done)
	}
	return &p
}

func TestBodyWithText(t *testing.T) {
	chunked := func(chunks ...string) string {
		s := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		for _, c := range chunks {
			s += fmt.Sprintf("%x\r\n%s\r\n", len(c), c)
		}
		return s + "0\r\n\r\n"
	}
	sized := func(body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	for _, tc := range []struct {
		answer, text string
		want         bool
		why          string
	}{
		{sized("hello, world"), "hello", true, "at the start"},
		{sized("hello, world"), "world", true, "at the end"},
		{sized("hello, world"), "hello, world", true, "all of it"},
		{sized("hello, world"), "hello, world!", false, "longer than the body"},
		{sized("hello, world"), "w", true, "one octet"},
		{sized("aaab aab"), "aab a", true, "a beginning that comes twice"},
		{sized(""), "x", false, "no body"},
		{chunked("hel", "lo", ", w"), "hello, w", true, "across chunks"},
		{chunked("ab", "\r\n1\r\n"), "1", true, "what looks like framing is body"},
		{chunked("abc", "def"), "c\r\n3\r\nd", false, "framing is not body"},
		{"HTTP/1.1 200 hello\r\nX: hello\r\nContent-Length: 1\r\n\r\nx", "hello", false, "the head is not body"},
		{"HTTP/1.1 103 Early\r\nX: a\r\n\r\n" + sized("hello"), "hello", true, "after an interim response"},
	} {
		r := mustRequest(t, "http://h/", func(s *Spec) { s.Expect.Body = tc.text })
		for size := 1; size <= len(tc.answer); size++ {
			assert.Equal(t, tc.want, parsePieces(t, r, tc.answer, size).HasBody(), "%s, in pieces of %d", tc.why, size)
		}
	}
	any := mustRequest(t, "http://h/")
	assert.True(t, parsePieces(t, any, sized("hello"), 1).HasBody(), "no text is asked for")
}

func TestMessage(t *testing.T) {
	long := strings.Repeat("x", 300)
	answer := func(status int) string {
		return fmt.Sprintf("\r\nHTTP/1.1 %d Reason\r\nLocation: /a\r\nX-Twice: 1\r\nx-twice: 2\r\nContent-Length: 300\r\n\r\n%s", status, long)
	}
	r := mustRequest(t, "http://h/")
	for size := 1; size <= len(answer(200)); size++ {
		m := parsePieces(t, r, answer(200), size).Message()
		assert.Equal(t, 200, m.Status)
		assert.Empty(t, m.Body, "nothing is kept of what is expected")
		assert.Empty(t, m.Header)

		m = parsePieces(t, r, answer(302), size).Message()
		assert.Equal(t, "/a", m.Header.Get("Location"))
		assert.Equal(t, []string{"1", "2"}, m.Header["X-Twice"])
		assert.Equal(t, long[:200], string(m.Body))
		assert.True(t, m.Truncated)

		m = parsePieces(t, r, answer(404), size).Message()
		assert.Empty(t, m.Header, "only redirects have a Location")
		assert.Equal(t, long[:200], string(m.Body))
	}
	whole := mustRequest(t, "http://h/", func(s *Spec) { s.Expect.Whole = true })
	m := parsePieces(t, whole, answer(200), 7).Message()
	assert.Equal(t, long, string(m.Body))
	assert.Equal(t, "/a", m.Header.Get("Location"))
	assert.False(t, m.Truncated)

	big := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", MaxBody+1, strings.Repeat("y", MaxBody+1))
	m = parsePieces(t, whole, big, 64<<10).Message()
	assert.Len(t, m.Body, MaxBody)
	assert.True(t, m.Truncated)
}

func TestKeepingAllocatesNothing(t *testing.T) {
	answer := []byte("HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 5\r\n\r\nhello")
	p := NewParser(mustRequest(t, "http://h/"))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		p.Reset(false)
		p.Feed(answer)
	}))
}

func TestShowMasksSecrets(t *testing.T) {
	check := func(url string, fields []Field, sent, want string) {
		t.Helper()
		r := mustRequest(t, url, func(s *Spec) { s.Header = fields })
		assert.Equal(t, want, string(r.Show([]byte(sent))))
	}
	bearer := []Field{{"Authorization", "Bearer s3cr3t"}}
	check("http://h/", nil, "Bearer s3cr3t", "Bearer s3cr3t")
	check("http://h/", bearer, "got Bearer s3cr3t, or s3cr3t.", "got xxxxx, or xxxxx.")
	check("http://user:pa55word@h/", nil, "user:pa55word dXNlcjpwYTU1d29yZA== pa55word user", "xxxxx xxxxx xxxxx user")
	check("http://h/", []Field{{"Authorization", "Basic dXNlcjpwYTU1d29yZA=="}}, "no user with pa55word", "no user with xxxxx")
	check("http://h/", []Field{{"Cookie", "sid=abcdef; lang=en"}}, "abcdef speaks en", "xxxxx speaks en")
	check("http://h/", []Field{{"X-Api-Key", `a"b<c&d`}}, `a"b<c&d a\"b\u003cc\u0026d a&#34;b&lt;c&amp;d a%22b%3Cc%26d`, "xxxxx xxxxx xxxxx xxxxx")
	check("http://h/", []Field{{"Accept", "text/html"}}, "text/html", "text/html")

	rest := strings.Repeat("y", 190)
	check("http://h/", bearer, rest+"Bearer s3cr3t and more", rest+"xxxxx")
	twice := []Field{{"Authorization", strings.Repeat("t", 150)}}
	check("http://h/", twice, strings.Repeat("t", 200), "xxxxx"+strings.Repeat("t", 50))
	check("http://h/", nil, strings.Repeat("é", 101), strings.Repeat("é", 100))
	check("http://h/", nil, "x"+strings.Repeat("é", 101), "x"+strings.Repeat("é", 99))
}

// The beginning that is kept is long enough to recognize a secret that is cut.
func TestSecretsAreRecognizedAtTheEnd(t *testing.T) {
	secret := strings.Repeat("s3cr3t", 40)
	r := mustRequest(t, "http://h/", func(s *Spec) { s.Header = []Field{{"Authorization", secret}} })
	body := strings.Repeat("y", 199) + secret + "z"
	p := parsePieces(t, r, fmt.Sprintf("HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n%s", len(body), body), 50)
	assert.Equal(t, body[:199]+"xxxxx", string(r.Show(p.Message().Body)))
}

func TestRedacted(t *testing.T) {
	check := func(url, want, why string) {
		t.Helper()
		assert.Equal(t, want, Redacted(url), why)
	}
	for _, same := range []string{
		"http://h/", "http://h:81/a@b?c=d@e#f", "http://[::1]:81/x?page=2&author=me&monkey=1", "/a/@b?c=1", "", "h:81", "http://@h/", "http://h/?token",
	} {
		check(same, same, "nothing is secret")
	}
	check("http://u:p@h/", "http://xxxxx@h/", "name and password")
	check("https://sk_live:@h:8080", "https://xxxxx@h:8080", "a token")
	check("HTTP://a@b:c@h/@d", "HTTP://xxxxx@h/@d", "up to the last @ before the path")
	check("http://u:p/q@h/", "http://xxxxx@h/", "a password that should be escaped")
	check("http://u:p", "http://xxxxx", "no port")
	check("u:p@h/?x", "xxxxx@h/?x", "no scheme")
	check("/a?b=1&api_key=s&c=2#token=t", "/a?b=1&api_key=xxxxx&c=2#token=xxxxx", "parameters")
	check("/a;jsessionid=s?X-Amz-Credential=a%2Fb&X-Amz-Signature=s", "/a;jsessionid=xxxxx&X-Amz-Signature=xxxxx", "one ends at the next & alone")
	check("/?API%5FKey=s;t&accessToken=&clientSecret=u", "/?API%5FKey=xxxxx&accessToken=&clientSecret=xxxxx", "in any letters")
}

func TestShowMasksSecretsOfURLAndBody(t *testing.T) {
	r := mustRequest(t, "http://h/?token=a%20bcd&x=wxyz", func(s *Spec) { s.Body = []byte(`{"a":[{"password":"pa55"}],"name":"name"}`) })
	assert.Equal(t, "xxxxx xxxxx wxyz xxxxx name", r.Mask("a%20bcd a bcd wxyz pa55 name"))
	r = mustRequest(t, "http://h/", func(s *Spec) { s.Body = []byte("user=meme&pwd=pa55") })
	assert.Equal(t, "meme xxxxx", r.Mask("meme pa55"))
	assert.Contains(t, string(r.Bytes()), "user=meme&pwd=pa55", "what is sent stays")
	long := strings.Repeat("y", 300)
	assert.Equal(t, long, r.Mask(long))
}
