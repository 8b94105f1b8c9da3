package cli

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/http1"
)

func TestOverride(t *testing.T) {
	both := engine.RequestOptions{
		Method: "PUT", Header: []http1.Field{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}, {Name: "C", Value: "3"}}, Without: []string{"Accept", "User-Agent"},
	}
	own := engine.RequestOptions{Header: []http1.Field{{Name: "b", Value: "4"}, {Name: "accept", Value: "5"}}, Without: []string{"c", "X-Request-Id"}}
	assert.Equal(t, engine.RequestOptions{
		Method: "PUT", Header: []http1.Field{{Name: "b", Value: "4"}, {Name: "accept", Value: "5"}, {Name: "A", Value: "1"}}, Without: []string{"c", "X-Request-Id", "User-Agent"},
	}, override(both, own))
	assert.Equal(t, both.Header, override(both, engine.RequestOptions{}).Header)
	assert.Len(t, both.Header, 3, "not changed")
}

func TestAsDuration(t *testing.T) {
	for text, want := range map[string]string{
		"30s": "30s", "1m30s": "1m30s", "500ms": "500ms", "30": "30s", "0": "0s",
		"": "", "a=1": "", "30x": "", "{}": "", "123456789": "", "s": "", "@30s": "",
	} {
		assert.Equal(t, want, asDuration(text), text)
	}
}

func TestWithScheme(t *testing.T) {
	for s, want := range map[string]string{
		"localhost": "http://localhost", "localhost:8080": "http://localhost:8080", "example.com/a?b=http://c": "http://example.com/a?b=http://c",
		"me:secret@h:1": "http://me:secret@h:1", "[::1]:80": "http://[::1]:80", "HTTPS://h": "HTTPS://h", "ftp://h": "ftp://h", "http:/h": "http:/h", "": "",
	} {
		assert.Equal(t, want, withScheme(s), s)
	}
}

func TestStrayUser(t *testing.T) {
	for _, c := range []struct {
		url   string
		other bool // another URL is given
		want  bool
	}{
		{"me:secret", true, true}, {"me:secret", false, true}, {"me:1234", true, true}, {"me:p@ss/w", true, true}, {"me:", true, true},
		{"localhost:8080", false, false}, {"localhost:8080/a:b", false, false}, {"me:secret@h:80/", false, false}, {"[::1]:8080", false, false}, {"::1", false, false},
		{"http://me:secret@h", true, false}, {"localhost", true, false},
	} {
		j := newJob(newTrial().open(), newRoot(newTrial().open()), "")
		j.urls = []string{c.url}
		var args []string
		if c.other {
			args = []string{"http://h/"}
		}
		assert.Equal(t, c.want, j.strayUser(args), "%+v", c)
	}
}

// A proxy that the environment names is not used, which is said where a client would
// use it.
func TestProxyNote(t *testing.T) {
	for _, c := range []struct {
		environ map[string]string
		url     string
		want    string
	}{
		{map[string]string{"HTTP_PROXY": "http://p:3128"}, "http://example.com/", "HTTP_PROXY"},
		{map[string]string{"http_proxy": "p:3128"}, "http://example.com/", "http_proxy"},
		{map[string]string{"https_proxy": "http://p:3128"}, "https://example.com/", "https_proxy"},
		{map[string]string{"ALL_PROXY": "socks5://p:1080"}, "https://example.com/", "ALL_PROXY"},
		{map[string]string{"https_proxy": "http://p:3128"}, "http://example.com/", ""},
		{map[string]string{"http_proxy": "http://p:3128"}, "https://example.com/", ""},
		{map[string]string{"http_proxy": "http://p:3128", "no_proxy": "a.com, example.com"}, "http://www.example.com/", ""},
		{map[string]string{"http_proxy": "http://p:3128", "NO_PROXY": "*"}, "http://example.com/", ""},
		{map[string]string{"http_proxy": "http://p:3128"}, "http://localhost:8080/", ""},
		{map[string]string{"http_proxy": "http://p:3128"}, "http://127.0.0.1:8080/", ""},
		{map[string]string{"http_proxy": "http://p:3128"}, "http://[::1]:8080/", ""},
		{nil, "http://example.com/", ""},
	} {
		r := newTrial()
		r.environ = c.environ
		s := r.open()
		j := newJob(s, newRoot(s), "")
		j.request = &engine.RequestOptions{}
		j.remarkOn(c.url)
		j.remarkOn(c.url)
		if c.want == "" {
			assert.Empty(t, j.notes, "%+v", c)
			continue
		}
		assert.Len(t, j.notes, 1, "once")
		assert.Regexp(t, "^load-tester: "+c.want+" is set and not used: the load goes to example.com directly$", j.notes[0])
	}
}
