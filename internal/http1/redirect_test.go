package http1

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedirected(t *testing.T) {
	for _, tc := range []struct {
		status             int
		url, location      string
		method, wantMethod string
		origin, path, why  string
	}{
		{302, "http://h/a/b?c", "/x", "GET", "GET", "http://h:80", "/x", "from the root"},
		{302, "http://h/a/b?c", "x?y", "GET", "GET", "http://h:80", "/a/x?y", "relative"},
		{302, "http://h/a/b?c", "../x", "GET", "GET", "http://h:80", "/x", "above"},
		{302, "http://h/a/b", "?q=1", "GET", "GET", "http://h:80", "/a/b?q=1", "query alone"},
		{302, "http://h/a/b", "#top", "GET", "GET", "http://h:80", "/a/b", "fragment alone"},
		{302, "http://h:8080/", "//other/x", "GET", "GET", "http://other:80", "/x", "without a scheme"},
		{302, "http://h/", "https://h/x#y", "GET", "GET", "https://h:443", "/x", "another scheme"},
		{302, "http://h/", "HTTP://H:80/x", "GET", "GET", "http://h:80", "/x", "the same origin in other letters"},
		{302, "http://[::1]:8080/a", "b", "GET", "GET", "http://[::1]:8080", "/b", "IPv6"},
		{302, "http://h/%zz", "/x", "GET", "GET", "http://h:80", "/x", "a path that is no URL"},
		{302, "http://h/", "/a b/é", "GET", "GET", "http://h:80", "/a%20b/%C3%A9", "a Location that is not quite a URL"},
		{301, "http://h/", "/x", "POST", "GET", "http://h:80", "/x", "as browsers do"},
		{302, "http://h/", "/x", "POST", "GET", "http://h:80", "/x", "as browsers do"},
		{302, "http://h/", "/x", "PUT", "PUT", "http://h:80", "/x", "only POST becomes GET"},
		{303, "http://h/", "/x", "PUT", "GET", "http://h:80", "/x", "see other"},
		{303, "http://h/", "/x", "HEAD", "HEAD", "http://h:80", "/x", "a HEAD stays one"},
		{307, "http://h/", "/x", "POST", "POST", "http://h:80", "/x", "kept"},
		{308, "http://h/", "/x", "POST", "POST", "http://h:80", "/x", "kept"},
	} {
		r := mustRequest(t, tc.url, func(s *Spec) {
			s.Method, s.Body = tc.method, []byte("body")
			s.Header = []Field{{"Content-Type", "text/plain"}, {"X-Kept", "1"}}
		})
		next, err := r.Redirected(tc.status, tc.location)
		require.NoError(t, err, tc.why)
		assert.Equal(t, tc.wantMethod, next.Method(), tc.why)
		assert.Equal(t, tc.origin, next.Origin(), tc.why)
		assert.Equal(t, tc.path, next.path, tc.why)
		assert.Contains(t, string(next.Bytes()), "X-Kept: 1\r\n")
		if tc.method == tc.wantMethod {
			assert.Contains(t, string(next.Bytes()), "Content-Type: text/plain\r\n", tc.why)
			assert.Contains(t, string(next.Bytes()), "\r\n\r\nbody", tc.why)
		} else {
			assert.NotContains(t, string(next.Bytes()), "Content-", tc.why)
			assert.NotContains(t, string(next.Bytes()), "body", tc.why)
		}
	}
}

func TestRedirectedRefuses(t *testing.T) {
	r := mustRequest(t, "http://h/")
	for location, want := range map[string]string{
		"":               "no Location",
		"ftp://h/":       `scheme "ftp"; want http or https`,
		"http://h:0/":    `port "0"`,
		"http://a\x01b/": "its Location is not a URL",
		"mailto:a@b":     "no scheme; want http:// or https://",
		"http:///x":      "no host",
	} {
		_, err := r.Redirected(302, location)
		assert.ErrorContains(t, err, want, "%q", location)
	}
}

func TestCredentialsStayWithTheirOrigin(t *testing.T) {
	secrets := []Field{
		{"authorization", "Bearer s3cr3t"}, {"Cookie", "sid=s3cr3t"}, {"Proxy-Authorization", "s3cr3t"},
		{"X-API-Key", "s3cr3t"}, {"X-Auth-Token", "s3cr3t"}, {"Private-Token", "s3cr3t"}, {"Host", "s3cr3t"},
	}
	for _, tc := range []struct {
		location string
		kept     bool
	}{
		{"/x", true},
		{"http://h:80/x", true},
		{"https://h/x", false},
		{"http://h:8080/x", false},
		{"http://other/x", false},
		{"http://h.other/x", false},
	} {
		r := mustRequest(t, "http://h/", func(s *Spec) { s.Header = secrets })
		next, err := r.Redirected(307, tc.location)
		require.NoError(t, err)
		if tc.kept {
			assert.Equal(t, secrets, next.spec.Header)
			continue
		}
		assert.NotContains(t, string(next.Bytes()), "s3cr3t", tc.location)
		back, err := next.Redirected(307, "http://h/")
		require.NoError(t, err)
		assert.NotContains(t, string(back.Bytes()), "s3cr3t", "also when it leads back")

		r = mustRequest(t, "http://user:pa55word@h/")
		next, err = r.Redirected(302, tc.location)
		require.NoError(t, err)
		assert.NotContains(t, string(next.Bytes()), "Authorization", tc.location)
	}
	next, err := mustRequest(t, "http://user:pa55word@h/").Redirected(302, "/x")
	require.NoError(t, err)
	next, err = next.Redirected(302, "/y")
	require.NoError(t, err)
	assert.Contains(t, string(next.Bytes()), "Authorization: Basic dXNlcjpwYTU1d29yZA==\r\n", "within the origin they go along")
	assert.Equal(t, "http://h:80/y", next.URL(), "and are not shown")
	next, err = mustRequest(t, "http://h/").Redirected(302, "http://user:pa55word@other/")
	require.NoError(t, err)
	assert.NotContains(t, string(next.Bytes()), "Authorization", "a server gives no credentials")
}

func TestSlashAdded(t *testing.T) {
	check := func(url, location, want string) {
		t.Helper()
		assert.Equal(t, want, mustRequest(t, url).SlashAdded(location), location)
	}
	check("http://h/items", "/items/", "/items")
	check("http://h/items", "http://h/items/", "/items")
	check("http://h/items", "items/", "/items")
	check("http://h/items?a=1", "/items/?a=1", "/items")
	check("http://h/items?a=1", "/items/", "/items")
	check("http://h/items", "/items/?a=1", "")
	check("http://h/items", "/login", "")
	check("http://h/items/", "/items", "")
	check("http://h/items", "", "")
}
