package http1

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
)

// A Cause is why a server that speaks TLS, or another protocol than HTTP/1.1, cannot
// be used. It decides what a user may do about it.
type Cause uint8

const (
	NoCause           Cause = iota
	UnknownAuthority        // nobody trusted has signed the server's certificate
	Expired                 // its certificate is not valid now
	WrongName               // its certificate is for other names
	OtherCertificate        // its certificate is invalid in another way
	UnknownName             // it does not know the name that was sent (SNI)
	Version                 // no version of TLS in common
	ClientCertificate       // it wants a client certificate, or another one
	Refused                 // it refused the handshake without saying why
	PlainHTTP               // it speaks HTTP without TLS on this port
	NotTLS                  // it speaks something else on this port
	TLSHere                 // it speaks TLS on this port, and no TLS was used
	OnlyHTTP2               // it does not speak HTTP/1.1
)

var (
	errOnlyHTTP2 = errors.New("this server speaks only HTTP/2; load-tester speaks HTTP/1.1")
	errTLSHere   = errors.New("this port speaks TLS, as an https URL does")
	errPlainHTTP = errors.New("the server speaks plain HTTP here")
	errWantsCert = errors.New("the server wants a client certificate, or another one")
)

// Numbers of alerts (RFC 8446 section 6, RFC 5246 section 7.2, RFC 6066, RFC 7301).
const (
	handshakeFailure      = 40
	badCertificate        = 42
	certificateUnknown    = 46
	unknownCA             = 48
	accessDenied          = 49
	protocolVersion       = 70
	unrecognizedName      = 112
	certificateRequired   = 116
	noApplicationProtocol = 120
)

// CauseOf returns the cause of an error of [Dialer.Dial] or of an exchange; NoCause if
// it has none of these.
func CauseOf(err error) Cause {
	var header tls.RecordHeaderError
	var unverified *tls.CertificateVerificationError
	switch {
	case err == nil:
		return NoCause
	case errors.Is(err, errOnlyHTTP2):
		return OnlyHTTP2
	case errors.Is(err, errTLSHere):
		return TLSHere
	case errors.Is(err, errWantsCert):
		return ClientCertificate
	case errors.As(err, &header) && string(header.RecordHeader[:]) == "HTTP/":
		return PlainHTTP
	case errors.As(err, &header):
		return NotTLS
	case errors.As(err, &unverified):
		return verification(err)
	case strings.Contains(err.Error(), "tls: server selected unsupported protocol version"),
		strings.Contains(err.Error(), "tls: no supported versions"): // crypto/tls has no type for them
		return Version
	}
	switch a := alert(err); a {
	case handshakeFailure:
		return Refused
	case protocolVersion:
		return Version
	case unrecognizedName:
		return UnknownName
	case noApplicationProtocol:
		return OnlyHTTP2
	case unknownCA, accessDenied, certificateRequired:
		return ClientCertificate
	default:
		if badCertificate <= a && a <= certificateUnknown {
			return ClientCertificate
		}
	}
	return NoCause
}

// CauseIn returns the cause that the text of such an error names, and in which words;
// NoCause if it names none.
func CauseIn(text string) (Cause, string) {
	for cause, err := range map[Cause]error{
		ClientCertificate: errWantsCert, TLSHere: errTLSHere, UnknownAuthority: x509.UnknownAuthorityError{},
	} {
		if strings.Contains(text, err.Error()) {
			return cause, err.Error()
		}
	}
	return NoCause, ""
}

// verification returns why a certificate was not accepted.
func verification(err error) Cause {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return UnknownAuthority
	case errors.As(err, &name):
		return WrongName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Expired
	}
	return OtherCertificate
}

// alert returns the number of the TLS alert that the server sent, 0 if it sent none.
// crypto/tls does not export its type.
func alert(err error) uint64 {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return v.Uint()
	}
	return 0
}

// explain adds to the error of a handshake what crypto/tls leaves unsaid. name is the
// one that was sent and that the certificate was verified for; asked reports that the
// server asked for a client certificate and got none.
func explain(err error, name string, asked bool) error {
	var wrong x509.HostnameError
	switch cause := CauseOf(err); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the server closed the connection: %w", err)
	case isTimeout(err):
		return os.ErrDeadlineExceeded // the same message as for any other timeout
	case cause == PlainHTTP:
		return fmt.Errorf("%w: %w", err, errPlainHTTP)
	case cause == OnlyHTTP2:
		return fmt.Errorf("%w: %w", err, errOnlyHTTP2)
	case cause == UnknownName && net.ParseIP(name) != nil:
		return fmt.Errorf("%w: no server name was sent (SNI), as the host is an IP address", err)
	case cause == UnknownName:
		return fmt.Errorf("%w: the server does not know the name %q (SNI)", err, name)
	case cause == ClientCertificate, cause == Refused && asked:
		return wantsCertificate(err)
	case errors.As(err, &wrong) && net.ParseIP(wrong.Host) != nil && len(wrong.Certificate.DNSNames) > 0:
		return fmt.Errorf("%w; it is valid for %s", err, strings.Join(wrong.Certificate.DNSNames, ", "))
	}
	return err
}

// wantsCertificate explains alerts about the client's certificate, which TLS 1.3
// sends after the handshake.
func wantsCertificate(err error) error {
	return fmt.Errorf("%w: %w", err, errWantsCert)
}

// Explain adds to the error that [Parser.Feed] returned for b which other protocol b
// belongs to, if it is the beginning of a response.
func (p *Parser) Explain(err error, b []byte) error {
	if err == nil || p.octets > 0 || len(b) < 4 {
		return err
	}
	var cause error
	switch {
	case b[0] == 0 && b[1] == 0 && (b[3] == 4 || b[3] == 7): // a SETTINGS or GOAWAY frame (RFC 9113 section 4.1)
		cause = errOnlyHTTP2
	case b[0] == 21 && b[1] == 3: // an alert (RFC 8446 section 5.1)
		cause = errTLSHere
	default:
		return err
	}
	e := Classify(err, Reading)
	e.Err = fmt.Errorf("%w: %w", e.Err, cause)
	return e
}
