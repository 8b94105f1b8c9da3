package http1

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// A target is a URL taken apart: where to connect and what to ask for.
type target struct {
	url       string // as given, with its secrets hidden
	tls       bool
	host      string // without brackets, in ASCII; an IPv6 zone is kept
	ascii     string // host if the URL has it in other letters; else ""
	port      string // decimal, 1 to 65535
	hostField string // value of the Host field
	user      string // "name:password", decoded; "" without userinfo
	path      string // path and query, exactly as given
}

// parseURL parses an http or https URL. It does not use net/url, which decodes
// and encodes: path and query stay exactly the bytes the user wrote. The fragment
// is dropped (RFC 9110 section 4.2.5), and an empty path becomes "/".
func parseURL(s string) (t target, err error) {
	t.url = Redacted(s)
	defer func() {
		if err != nil {
			err = fmt.Errorf("url %q: %w", t.url, err)
		}
	}()
	if s == "" {
		return t, errors.New("empty; want http://host/path or https://host/path")
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return t, errors.New("no scheme; want http:// or https:// in front")
	}
	switch strings.ToLower(scheme) {
	case "http":
	case "https":
		t.tls = true
	default:
		return t, fmt.Errorf("scheme %q; want http or https", scheme)
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if t.path, err = requestTarget(rest[end:]); err != nil {
		return t, err
	}
	authority := rest[:end]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if t.user, err = credentials(authority[:at]); err != nil {
			return t, err
		}
		authority = authority[at+1:]
	}
	return t, t.setAuthority(authority)
}

// requestTarget returns the origin form (RFC 9112 section 3.2.1) of a URL's path
// and query. It refuses octets that would end the request line or a part of it.
// Everything else is sent unchanged, valid in a URI or not: how the server
// handles it may be what the user wants to see.
func requestTarget(s string) (string, error) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			return "", errors.New("space in path or query; write it as %20")
		case isControl(c):
			return "", fmt.Errorf("control character %q in path or query; write it as %%%02X", c, c)
		}
	}
	if s == "" || s[0] == '?' {
		s = "/" + s
	}
	return s, nil
}

// credentials decodes userinfo into the user-pass of RFC 7617 section 2.
func credentials(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	name, password, _ := strings.Cut(s, ":")
	var err error
	if name, err = url.PathUnescape(name); err != nil {
		return "", errors.New("user name has a % without two hex digits; write % as %25")
	}
	if password, err = url.PathUnescape(password); err != nil {
		return "", errors.New("password has a % without two hex digits; write % as %25")
	}
	if strings.Contains(name, ":") {
		return "", errors.New("user name has a colon, which basic authentication cannot carry")
	}
	user := name + ":" + password
	for i := range len(user) {
		if isControl(user[i]) {
			return "", errors.New("control character in user name or password")
		}
	}
	return user, nil
}

// setAuthority fills in host, port and hostField from "host", "host:port" or
// "[IPv6]:port".
func (t *target) setAuthority(s string) error {
	var host, port string
	var hasPort bool
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return errors.New("no ] after the IPv6 address")
		}
		host = s[:end+1]
		switch after := s[end+1:]; {
		case after == "":
		case after[0] == ':':
			port, hasPort = after[1:], true
		default:
			return fmt.Errorf("%q after the IPv6 address; want a :port or nothing", after)
		}
	} else {
		host, port, hasPort = strings.Cut(s, ":")
		if _, err := netip.ParseAddr(s); err == nil && hasPort {
			return fmt.Errorf("IPv6 address without brackets; write [%s]", s)
		}
	}
	if err := t.setHost(host); err != nil {
		return err
	}
	standard := "80"
	if t.tls {
		standard = "443"
	}
	t.port = standard
	if hasPort && port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		switch {
		case !isNumeric(port): // it may be a password
			return errors.New("port is not a number from 1 to 65535; in a password write / ? # as %2F %3F %23")
		case err != nil || n == 0:
			return fmt.Errorf("port %q; want a number from 1 to 65535", port)
		}
		t.port = strconv.FormatUint(n, 10)
	}
	if t.port != standard {
		t.hostField += ":" + port
	}
	return nil
}

// setHost fills in host and hostField from a name, an IPv4 address or an IPv6
// address in brackets. The zone of an address means something only on this
// machine and is not sent (RFC 6874 section 4).
func (t *target) setHost(s string) error {
	if literal, ok := strings.CutPrefix(s, "["); ok {
		literal = strings.TrimSuffix(literal, "]")
		// RFC 6874 writes the % before the zone as %25; most tools accept both.
		if ip, zone, ok := strings.Cut(literal, "%25"); ok {
			literal = ip + "%" + zone
		}
		addr, err := netip.ParseAddr(literal)
		if err != nil || !addr.Is6() {
			return fmt.Errorf("%q is not an IPv6 address", literal)
		}
		for i := range len(literal) {
			if c := literal[i]; c == ' ' || isControl(c) {
				return fmt.Errorf("character %q in the zone of %q", c, literal)
			}
		}
		t.host = literal
		ip, _, _ := strings.Cut(literal, "%")
		t.hostField = "[" + ip + "]"
		return nil
	}
	if s == "" {
		return errors.New("no host")
	}
	ascii, err := asciiHost(s)
	if err != nil {
		return fmt.Errorf("host %q: %w", s, err)
	}
	for _, c := range ascii {
		if !strings.ContainsRune(hostChars, c) {
			return fmt.Errorf("character %q in host %q", c, s)
		}
	}
	if ascii != s {
		t.ascii = ascii
	}
	t.host, t.hostField = ascii, ascii
	return nil
}

var errNotName = errors.New("not a name")

// asciiHost returns the form of a name that DNS knows: as browsers do (RFC 5891,
// UTS 46), bücher.example is looked up as xn--bcher-kva.example. Names in ASCII
// stay as they are.
func asciiHost(s string) (string, error) {
	if strings.IndexFunc(s, func(c rune) bool { return c >= utf8.RuneSelf }) < 0 {
		return s, nil
	}
	if !utf8.ValidString(s) {
		return "", errNotName
	}
	ascii, err := idna.Lookup.ToASCII(s)
	if err == nil && ascii == "" {
		err = errNotName
	}
	return ascii, err
}

// hostChars are the characters of a reg-name (RFC 3986 section 3.2.2) except
// percent escapes, which no resolver knows.
const hostChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;="

// WithPath returns a URL with its path and query replaced; path "" leaves them.
func WithPath(url, path string) string {
	if path == "" {
		return url
	}
	scheme, rest, _ := strings.Cut(url, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return scheme + "://" + rest + path
}
