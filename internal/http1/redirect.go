package http1

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// IsRedirect reports whether a status sends a client to another place by itself.
func IsRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// Redirected returns the request that a client sends after a response to r with a
// redirect status and this Location: as browsers and curl do, with GET instead of
// POST after 301 and 302, and with GET after 303. Credentials go to no other
// origin, also not when a later redirect leads back.
func (r *Request) Redirected(status int, location string) (*Request, error) {
	to, err := r.resolve(location)
	if err != nil {
		return nil, err
	}
	s := r.spec
	s.URL = to
	if toGet := status == 303 && s.Method != "HEAD" || status < 303 && s.Method == "POST"; toGet {
		s.Method, s.Body = "GET", nil
		s.Header = without(s.Header, func(name string) bool { return strings.HasPrefix(name, "content-") })
	}
	next, err := NewRequest(s)
	if err != nil {
		return nil, err
	}
	if r.Origin() == next.Origin() {
		if r.user != "" && !(header{user: s.Header, without: s.Without}).replaced("Authorization") {
			s.Header = append(slices.Clip(s.Header), Field{"Authorization", "Basic " + basic(r.user)})
			return NewRequest(s)
		}
		return next, nil
	}
	s.Header = without(s.Header, func(name string) bool { return name == "host" || isCredential(name) })
	return NewRequest(s)
}

// resolve returns the URL that a Location leads to, without fragment and userinfo:
// credentials are the user's to give.
func (r *Request) resolve(location string) (string, error) {
	if location == "" {
		return "", errors.New("no Location")
	}
	base, err := url.Parse(r.Origin() + r.path)
	if err != nil { // a path is sent as it was given, valid or not
		base, err = url.Parse(r.Origin() + "/")
	}
	if err != nil {
		return "", err
	}
	to, err := base.Parse(location)
	if err != nil {
		return "", errors.New("its Location is not a URL")
	}
	to.User, to.Fragment = nil, ""
	return to.String(), nil
}

// without returns the fields whose names, in lower case, drop does not report.
func without(fields []Field, drop func(name string) bool) []Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return drop(strings.ToLower(f.Name)) })
}

// Origin returns the scheme, host and port that the request is sent to.
func (r *Request) Origin() string {
	scheme := "http"
	if r.tls {
		scheme = "https"
	}
	host := strings.ToLower(r.host)
	if strings.Contains(host, ":") {
		host = "[" + strings.ReplaceAll(host, "%", "%25") + "]"
	}
	return fmt.Sprintf("%s://%s:%s", scheme, host, r.port)
}

// SlashAdded returns the path of the request if a Location is the same with a
// slash added, else "".
func (r *Request) SlashAdded(location string) string {
	path, query, _ := strings.Cut(r.path, "?")
	to, err := r.resolve(location)
	if err != nil {
		return ""
	}
	u, err := url.Parse(to)
	if err != nil || u.EscapedPath() != path+"/" || u.RawQuery != query && u.RawQuery != "" {
		return ""
	}
	return path
}
