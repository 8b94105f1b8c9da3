package http1

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
)

func TestCauseOfHandshakes(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	good := a.server(t, "good.example", -hour, hour)
	edited := func(edit func(*tls.Config)) *tls.Config {
		c := good.Clone()
		edit(c)
		return c
	}
	old := edited(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 })
	choosy := edited(func(c *tls.Config) { c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12 })
	modern := edited(func(c *tls.Config) { c.NextProtos = []string{"h3"} })
	answer := func(p *peer, _ *tls.Conn) { p.head(); p.say(ok13) }
	says := func(octets string) func(*peer) { return func(p *peer) { p.say(octets); p.head() } }
	for _, tt := range []struct {
		client  *tls.Config
		serve   func(*peer)
		want    Cause
		message string
	}{
		{other.client("good.example"), secure(good, answer), UnknownAuthority, ""},
		{a.client("bad.example"), secure(good, answer), WrongName, "valid for good.example, not bad.example"},
		{a.client("192.0.2.1"), secure(good, answer), WrongName, "it is valid for good.example"},
		{a.client("good.example"), secure(a.server(t, "good.example", -2*hour, -hour), answer), Expired, ""},
		{a.client("good.example"), secure(old, answer), Version, ""},
		{&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12}, secure(good, answer), Version, ""},
		{a.client("good.example"), secure(choosy, answer), ClientCertificate, "the server wants a client certificate, or another one"},
		{a.client("good.example"), says("\x15\x03\x03\x00\x02\x02\x74"), ClientCertificate, "the server wants a client certificate, or another one"},
		{a.client("good.example"), says("\x15\x03\x03\x00\x02\x02\x2a"), ClientCertificate, "the server wants a client certificate, or another one"},
		{a.client("good.example"), secure(modern, answer), OnlyHTTP2, "speaks only HTTP/2; load-tester speaks HTTP/1.1"},
		{a.client("good.example"), says("\x15\x03\x03\x00\x02\x02\x70"), UnknownName, `does not know the name "good.example" (SNI)`},
		{a.client("192.0.2.1"), says("\x15\x03\x03\x00\x02\x02\x70"), UnknownName, "no server name was sent (SNI)"},
		{a.client("good.example"), says("\x15\x03\x03\x00\x02\x02\x28"), Refused, "handshake failure"},
		{a.client("good.example"), says("\x15\x03\x03\x00\x02\x02\x50"), NoCause, "internal error"},
		{a.client("good.example"), says("HTTP/1.1 400 Bad Request\r\n\r\n"), PlainHTTP, "speaks plain HTTP here"},
		{a.client("good.example"), says("220 mail.example ESMTP\r\n"), NotTLS, ""},
	} {
		s := serve(t, tt.serve)
		s.TLS = tt.client
		_, err := s.Dial(t.Context())
		if assert.Error(t, err) {
			assert.Equal(t, tt.want, CauseOf(err), "%v", err)
			assert.ErrorContains(t, err, tt.message)
		}
	}
	assert.Equal(t, NoCause, CauseOf(nil))
	assert.Equal(t, NoCause, CauseOf(io.EOF))
	assert.Equal(t, OtherCertificate, CauseOf(&tls.CertificateVerificationError{Err: errors.New("not trusted")}))
	assert.Equal(t, NoCause, CauseOf(&net.OpError{Op: "local error", Err: tls.AlertError(protocolVersion)}), "sent by this side")
}

// Other protocols than HTTP/1.1 are recognised by the first octets of a response.
func TestCauseOfResponses(t *testing.T) {
	for octets, want := range map[string]Cause{
		"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64": OnlyHTTP2,
		"\x00\x00\x08\x07\x00\x00\x00\x00\x00":                         OnlyHTTP2,
		"\x15\x03\x01\x00\x02\x02\x16":                                 TLSHere,
		"\x00\x00\x12\x05\x00":                                         NoCause,
		"\r\n\x00\x00\x12\x04":                                         NoCause,
		"SSH-2.0-OpenSSH_9.6\r\n":                                      NoCause,
	} {
		s := serve(t, func(p *peer) { p.head(); p.say(octets) })
		r := s.connect(t).Exchange(0)
		assertKind(t, record.Malformed, "", r, fmt.Sprintf("%q", octets))
		assert.Equal(t, want, CauseOf(r.Err), "%q", octets)
	}
}

// A server of TLS 1.2 may ask for a client certificate once it has seen the request.
// The caller's configuration decides, if it says anything, and is not touched.
func TestRenegotiation(t *testing.T) {
	d := Dialer{TLS: &tls.Config{}}
	assert.Equal(t, tls.RenegotiateOnceAsClient, d.config().Renegotiation)
	assert.Equal(t, tls.RenegotiateNever, d.TLS.Renegotiation)
	d.TLS.Renegotiation = tls.RenegotiateFreelyAsClient
	assert.Equal(t, tls.RenegotiateFreelyAsClient, d.config().Renegotiation)
}

// A conn in memory, which gives what is read in pieces.
type piecesConn struct {
	net.Conn
	pieces []string
}

func (c *piecesConn) Write(b []byte) (int, error) { return len(b), nil }

func (c *piecesConn) Read(b []byte) (n int, err error) {
	if len(c.pieces) == 0 {
		return 0, io.EOF
	}
	n = copy(b, c.pieces[0])
	c.pieces = c.pieces[1:]
	return n, nil
}

// The first octet came before the last only if it took several reads.
func TestArriving(t *testing.T) {
	arriving := func(pieces ...string) Response {
		r := NewConn(&piecesConn{pieces: pieces}, mustRequest(t, "http://h/")).Exchange(0)
		assert.NoError(t, r.Err)
		return r
	}
	assert.Zero(t, arriving(ok13).Arriving)
	assert.Positive(t, arriving(ok13[:len(ok13)-1], ok13[len(ok13)-1:]).Arriving)
	assert.Positive(t, arriving("HTTP/1.1 200 OK\r\n\r\n", "to the end").Arriving)
}
