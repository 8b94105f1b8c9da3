package http1

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"unicode/utf8"
)

// leastSecret is the length in octets below which a value is not taken for a
// secret: masking it would mask ordinary text.
const leastSecret = 4

// mask stands for a secret.
const mask = "xxxxx"

// isCredential reports whether a header field of this name carries a secret.
func isCredential(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "authorization", "proxy-authorization", "cookie", "cookie2", "www-authenticate":
		return true
	}
	for _, word := range []string{"auth", "token", "secret", "api-key", "apikey", "access-key", "password", "credential", "session", "csrf", "signature"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// secretsOf returns the values that must not be shown where the target sends them
// back: credentials in fields and in the URL, whole and in parts, as they are and
// as they are written in HTML, JSON and URLs.
func secretsOf(fields []Field, user string) (all [][]byte) {
	add := func(s string) {
		if s = trimOWS(s); len(s) < leastSecret {
			return
		}
		quoted, _ := json.Marshal(s) // of a string there is no error
		for _, form := range []string{s, html.EscapeString(s), string(quoted[1 : len(quoted)-1]), url.QueryEscape(s), url.PathEscape(s)} {
			all = append(all, []byte(form))
		}
	}
	addUser := func(user string) {
		_, password, _ := strings.Cut(user, ":")
		add(user)
		add(password)
	}
	if user != "" {
		addUser(user)
		add(basic(user))
	}
	for _, f := range fields {
		if !isCredential(f.Name) {
			continue
		}
		add(f.Value)
		scheme, rest, _ := strings.Cut(trimOWS(f.Value), " ")
		add(rest)
		if name, ok := decodeBasic(rest); ok && strings.EqualFold(scheme, "Basic") {
			addUser(name)
		}
		if strings.HasPrefix(strings.ToLower(f.Name), "cookie") {
			for pair := range strings.SplitSeq(f.Value, ";") {
				_, value, _ := strings.Cut(pair, "=")
				add(value)
			}
		}
	}
	return all
}

// basic encodes a user-pass for basic authentication.
func basic(user string) string { return base64.StdEncoding.EncodeToString([]byte(user)) }

// decodeBasic decodes what basic returns.
func decodeBasic(s string) (user string, ok bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	return string(b), err == nil
}

// Show returns the beginning of what the target sent, with the secrets masked that
// were sent to it.
func (r *Request) Show(b []byte) []byte {
	var out []byte
	end := min(len(b), beginning)
	for i := 0; i < end; {
		if n := r.secretAt(b[i:]); n > 0 {
			out = append(out, mask...)
			i += n
			continue
		}
		out = append(out, b[i])
		i++
	}
	if len(b) > beginning {
		out = trimPartialRune(out)
	}
	return out
}

// secretAt returns the length of the longest secret that b begins with, 0 for none.
func (r *Request) secretAt(b []byte) (n int) {
	for _, s := range r.secrets {
		if len(s) > n && bytes.HasPrefix(b, s) {
			n = len(s)
		}
	}
	return n
}

// trimPartialRune drops the octets of a character that was cut at the end of b.
func trimPartialRune(b []byte) []byte {
	for k := 1; k < utf8.UTFMax && k <= len(b); k++ {
		if at := len(b) - k; utf8.RuneStart(b[at]) {
			if !utf8.FullRune(b[at:]) {
				return b[:at]
			}
			return b
		}
	}
	return b
}
