package http1

import "fmt"

// Idempotent reports whether sending the request twice has the effect of sending it
// once (RFC 9110 section 9.2.2).
func (r *Request) Idempotent() bool {
	switch r.method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// checkMethod returns an error unless m is a token (RFC 9110 section 9.1) other
// than CONNECT, which opens a tunnel and has another request-target (section
// 9.3.6).
func checkMethod(m string) error {
	switch {
	case !isToken(m):
		return fmt.Errorf("method %q: not a token; want one like GET", m)
	case m == "CONNECT":
		return fmt.Errorf("method %q: opens a tunnel, which cannot be measured", m)
	}
	return nil
}

// wantsLength reports whether a request without a body should have a
// Content-Length of 0 (RFC 9110 section 8.6).
func wantsLength(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
}
