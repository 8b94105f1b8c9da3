package http1

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// leastSecret is the length in octets below which a value is not taken for a
// secret: masking it would mask ordinary text.
const leastSecret = 4

// mask stands for a secret.
const mask = "xxxxx"

// credentialNames are names of header fields, query parameters and members of a body
// that carry a secret, in lower case and without - and _. credentialParts are parts of
// such names.
var (
	credentialNames = []string{"cookie", "cookie2", "key", "otp", "pass", "pin", "pwd", "sid", "sig"}
	credentialParts = []string{
		"accesskey", "apikey", "appkey", "bearer", "credential", "csrf", "hmac", "jwt", "masterkey", "passcode", "passphrase",
		"passwd", "password", "privatekey", "secret", "session", "signature", "subscriptionkey", "token", "xsrf",
	}
)

// isCredential reports whether something of this name carries a secret.
func isCredential(name string) bool {
	name = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
	auth := strings.Contains(name, "auth") && (!strings.Contains(name, "author") || strings.Contains(name, "authoriz"))
	return auth || slices.Contains(credentialNames, name) ||
		slices.ContainsFunc(credentialParts, func(part string) bool { return strings.Contains(name, part) })
}

// Redacted returns the URL s, or a path, as messages and reports show it: without its
// userinfo and without the secrets in its query. s need not be valid.
func Redacted(s string) string {
	start := 0
	if scheme, _, ok := strings.Cut(s, "://"); ok && !strings.ContainsAny(scheme, "/?#") {
		start = len(scheme) + len("://")
	}
	authority := s[start:]
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	_, port, _ := strings.Cut(authority[strings.LastIndexByte(authority, ']')+1:], ":")
	at := strings.LastIndexByte(authority, '@')
	if at < 0 && (!isNumeric(port) || start == 0 && !strings.HasPrefix(s, "/")) {
		at = strings.LastIndexByte(s[start:], '@') // behind a / in a password
	}
	if at < 0 && !isNumeric(port) {
		at = len(authority)
	}
	if at > 0 {
		s = s[:start] + mask + s[start+at:]
	}
	return mapSecrets(s, func(string) string { return mask })
}

// isNumeric reports whether a port consists of digits and what is written beside them
// by mistake.
func isNumeric(port string) bool { return strings.Trim(port, "0123456789:+-") == "" }

// mapSecrets returns a URL, or a path, with the value of each parameter that carries a
// secret replaced.
func mapSecrets(s string, replace func(value string) string) string {
	var b strings.Builder
	for rest := s; ; {
		begin := strings.IndexAny(rest, "?&;#") + 1
		b.WriteString(rest[:begin])
		if rest = rest[begin:]; begin == 0 {
			b.WriteString(rest)
			return b.String()
		}
		name := rest[:max(0, strings.IndexByte(rest, '='))]
		if plain, _ := url.QueryUnescape(name); strings.ContainsAny(name, "?&;#") || !isCredential(cmp.Or(plain, name)) {
			continue
		}
		value := rest[len(name)+1:]
		if end := strings.IndexAny(value, "&#"); end >= 0 {
			value = value[:end]
		}
		b.WriteString(name + "=")
		if value != "" {
			b.WriteString(replace(value))
		}
		rest = rest[len(name)+1+len(value):]
	}
}

// secretsOf returns the values that must not be shown where the target sends them
// back: credentials in fields, in the URL and in the body, whole and in parts, as they
// are and as they are written in HTML, JSON and URLs.
func secretsOf(fields []Field, to *target, body []byte) (all [][]byte) {
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
		name, password, _ := strings.Cut(user, ":")
		add(user)
		add(password)
		if password == "" { // a token
			add(name)
		}
	}
	addEscaped := func(s string) string {
		add(s)
		if plain, err := url.QueryUnescape(s); err == nil && plain != s {
			add(plain)
		}
		return s
	}
	if to.user != "" {
		addUser(to.user)
		add(basic(to.user))
	}
	mapSecrets(to.path, addEscaped)
	if len(body) <= maxInline {
		mapSecrets("?"+string(body), addEscaped)
		var v any
		if json.Unmarshal(body, &v) == nil {
			eachSecret(v, add)
		}
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

// eachSecret calls add with the text of each member of decoded JSON that carries a
// secret.
func eachSecret(v any, add func(string)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			eachSecret(e, add)
		}
	case map[string]any:
		for name, e := range v {
			if text, ok := e.(string); ok && isCredential(name) {
				add(text)
			}
			eachSecret(e, add)
		}
	}
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
	out := r.masked(b, min(len(b), beginning))
	if len(b) > beginning {
		out = trimPartialRune(out)
	}
	return out
}

// Mask returns text with the secrets masked that are sent with r.
func (r *Request) Mask(text string) string { return string(r.masked([]byte(text), len(text))) }

// masked returns the first octets of b with the secrets masked that begin among them.
func (r *Request) masked(b []byte, end int) (out []byte) {
	for i := 0; i < end; {
		if n := r.secretAt(b[i:]); n > 0 {
			out = append(out, mask...)
			i += n
			continue
		}
		out = append(out, b[i])
		i++
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
