package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plainKeepAlive is a list as RFC 2068 has it.
var plainKeepAlive = regexp.MustCompile(`^(timeout|max)=(\d{1,7})(, (timeout|max)=(\d{1,7}))*$`)

// FuzzKeepAlive tests the value of a Keep-Alive field, whole and octet by octet.
func FuzzKeepAlive(f *testing.F) {
	for _, s := range []string{"timeout=5, max=100", "max=0", "timeout=0", `timeout="15"`, "timeout=99999999999999999999", "max=1,timeout=-1", "timeout", "TIMEOUT = 3 ,, max"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		whole, pieces := fields{field: keepAlive}, fields{field: keepAlive}
		whole.value([]byte(s))
		for i := range len(s) {
			pieces.value([]byte{s[i]})
		}
		whole.endValue()
		pieces.endValue()
		require.Equal(t, whole, pieces)
		limit := whole.idleLimit()
		require.GreaterOrEqual(t, limit, time.Duration(0))
		require.True(t, limit == NoLimit || limit < 10*maxKeepAlive*time.Second, limit)
		if !plainKeepAlive.MatchString(s) {
			return
		}
		want, last := NoLimit, false
		for member := range strings.SplitSeq(s, ", ") {
			name, value, _ := strings.Cut(member, "=")
			n, err := strconv.Atoi(value)
			require.NoError(t, err)
			if name == "max" {
				last = n == 0
			} else {
				want = time.Duration(n) * time.Second
				want -= min(want/5, time.Second)
			}
		}
		if last {
			want = 0
		}
		require.Equal(t, want, limit)
	})
}

// FuzzRedirect tests that any Location leads to one well-formed request, and that no
// other origin gets credentials.
func FuzzRedirect(f *testing.F) {
	for _, s := range []string{"/x", "../x?y#z", "//other/x", "https://h/", "HTTP://H:80/x", "http://u:p@h/", "http://[::1%25lo]:1/", "/a b/é\r\n", "http://bücher.example/", "?", "", "h:80", "\x00"} {
		f.Add(302, s)
		f.Add(307, s)
	}
	f.Fuzz(func(t *testing.T, status int, location string) {
		if !IsRedirect(status) || strings.Contains(location, "s3cr3t") {
			return
		}
		r := mustRequest(t, "http://me:s3cr3t@h/a/b?c", func(s *Spec) {
			s.Method, s.Body = "POST", []byte("body")
			s.Header = []Field{{"Cookie", "id=s3cr3t"}}
		})
		next, err := r.Redirected(status, location)
		if err != nil {
			require.NotContains(t, err.Error(), "s3cr3t")
			return
		}
		octets := string(next.Bytes()) + string(next.Rest())
		if next.Origin() != r.Origin() {
			require.NotContains(t, octets, "s3cr3t")
			require.NotContains(t, octets, basic("me:s3cr3t"))
		}
		require.NotContains(t, next.URL(), "s3cr3t")
		again, err := next.resolve("")
		require.Error(t, err, again)
		rd := bufio.NewReader(strings.NewReader(octets))
		req, err := http.ReadRequest(rd)
		require.NoError(t, err)
		body := new(bytes.Buffer)
		_, err = body.ReadFrom(req.Body)
		require.NoError(t, err)
		require.Equal(t, next.Method(), req.Method)
		require.Equal(t, next.Method() == "POST", body.String() == "body")
		_, err = rd.ReadByte()
		require.Error(t, err, "nothing follows the request")
	})
}

// FuzzSearch tests that a text is found in a body that arrives in pieces of any size if
// it is there.
func FuzzSearch(f *testing.F) {
	f.Add("aab", "aaab aab", []byte{1, 1})
	f.Add("hello", "hel\x00lo", []byte{3, 0, 2})
	f.Add("abab", "abaabab", []byte{1, 2, 1, 2})
	f.Add("", "", []byte{})
	f.Fuzz(func(t *testing.T, text, body string, pieces []byte) {
		r := mustRequest(t, "http://h/", func(s *Spec) { s.Expect.Body = text })
		c := &content{r: r}
		rest := []byte(body)
		for _, size := range pieces {
			n := min(int(size), len(rest))
			c.addBody(rest[:n])
			rest = rest[n:]
		}
		c.addBody(rest)
		require.Equal(t, text != "" && strings.Contains(body, text), c.found)
		require.Equal(t, int64(len(body)), c.size)
		require.Equal(t, body[:min(len(body), r.shown)], string(c.body))
	})
}

// FuzzSecrets tests that what is shown of a response holds no credential that was sent.
func FuzzSecrets(f *testing.F) {
	f.Add("Authorization", "Bearer s3cr3t", "me:pass", []byte("you sent Bearer s3cr3t, me:pass"))
	f.Add("Cookie", "id=s3cr3t; b=\"q<\"", "", []byte(`{"id":"s3cr3t","b":"\"q\u003c\""}`))
	f.Add("X-Api-Key", "aaaa", "", bytes.Repeat([]byte("a"), beginning+3))
	f.Add("X-Token", "<a&b>", "", []byte("&lt;a&amp;b&gt; %3Ca%26b%3E"))
	f.Fuzz(func(t *testing.T, name, value, user string, body []byte) {
		r, err := NewRequest(Spec{URL: "http://h/", Run: "run", Header: []Field{{name, value}}})
		if err != nil {
			return
		}
		r.secrets = secretsOf([]Field{{name, value}}, &target{user: user}, nil)
		shown := r.Show(body)
		require.LessOrEqual(t, len(shown), max(len(mask), 1)*beginning)
		for _, s := range r.secrets {
			if !bytes.ContainsAny(s, mask) { // it may be made of the mask
				require.NotContains(t, string(shown), string(s))
			}
		}
	})
}

// FuzzStatuses tests that a set of statuses is written as it is read.
func FuzzStatuses(f *testing.F) {
	for _, s := range []string{"200", "2xx,3XX", " 200 - 204 ,404", "100-599", "204-200", "0xx", "6xx", "+20", "200,", "٢٠٠"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		set, err := ParseStatuses(s)
		if err != nil {
			require.Equal(t, Statuses{}, set)
			return
		}
		require.NotEqual(t, Statuses{}, set)
		again, err := ParseStatuses(set.String())
		require.NoError(t, err, set.String())
		require.Equal(t, set, again)
		for code := range 1000 {
			require.False(t, set.Contains(code) && (code < leastStatus || code > mostStatus), code)
		}
	})
}

// FuzzURL tests that whatever is taken for a URL names a host that can be looked up, a
// port, and a path that makes one request line.
func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"http://example.com/a?b#c", "https://u:p@h:8443", "http://[fe80::1%25eth0]:80/", "http://[::1]", "http://::1/", "http://bücher.example", "http://xn--bcher-kva.example",
		"http://faß.de", "http://a..b", "http://\u202egro.elpmaxe", "http://h:0", "http://h:65536", "http://@h", "http://h\r\n", "HTTP://h/%zz", "http:///x", "http://h?x", "ftp://h", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseURL(s)
		if err != nil {
			return
		}
		require.Equal(t, u.url, Redacted(u.url), "what is hidden stays so")
		require.NotEmpty(t, u.host)
		if !strings.Contains(u.host, ":") {
			require.Empty(t, strings.Trim(u.host, hostChars), u.host)
		}
		port, err := strconv.Atoi(u.port)
		require.NoError(t, err)
		require.True(t, 0 < port && port < 65536, port)
		require.True(t, u.path[0] == '/')
		for _, text := range []string{u.path, u.hostField} {
			for i := range len(text) {
				require.False(t, text[i] <= ' ' || text[i] == 0x7f, "%q", text)
			}
		}
		scheme := "http"
		if u.tls {
			scheme = "https"
		}
		r := Request{target: u}
		again, err := parseURL(r.Origin() + u.path)
		require.NoError(t, err, r.Origin())
		assert.True(t, strings.EqualFold(u.host, again.host), "%q and %q", u.host, again.host)
		assert.Equal(t, fmt.Sprint(scheme, u.port), fmt.Sprint(map[bool]string{true: "https", false: "http"}[again.tls], again.port))
		assert.Equal(t, u.path, again.path)
	})
}
