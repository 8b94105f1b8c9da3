//go:build unix

package testscripts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// An authority signs the certificates of one test run. It exists only in memory, and no
// system trusts it.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  []byte
}

var theAuthority = sync.OnceValue(func() *authority {
	a := &authority{key: newKey()}
	der := sign(&x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "testscripts authority"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}, nil, a.key, a)
	a.cert, _ = x509.ParseCertificate(der) // just made
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
})

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the system has no randomness
	}
	return key
}

// sign returns a certificate for key, signed by a; if parent is nil, it is self-signed.
func sign(c, parent *x509.Certificate, key *ecdsa.PrivateKey, a *authority) []byte {
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, a.key)
	if err != nil {
		panic(err) // a template is invalid
	}
	return der
}

// certificate returns a certificate that is valid now for 127.0.0.1, ::1 and localhost,
// except for what change does to it.
func certificate(change func(*x509.Certificate)) tls.Certificate {
	a, key := theAuthority(), newKey()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "testscripts target"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(c)
	}
	return tls.Certificate{Certificate: [][]byte{sign(c, a.cert, key, a)}, PrivateKey: key}
}

var goodCertificate = sync.OnceValue(func() tls.Certificate { return certificate(nil) })

func serverConfig(c tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: []string{"http/1.1"}}
}

// tlsServers are HTTPS servers that a client must reject or tolerate.
var tlsServers = map[string]func(net.Conn){
	"expired": overTLS(func() *tls.Config {
		return serverConfig(certificate(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}))
	}, okResponse),
	"early": overTLS(func() *tls.Config {
		return serverConfig(certificate(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }))
	}, okResponse),
	"other-name": overTLS(func() *tls.Config {
		return serverConfig(certificate(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"example.com"} }))
	}, okResponse),
	"old": overTLS(func() *tls.Config {
		c := serverConfig(goodCertificate())
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
		return c
	}, okResponse),
	"plain": func(c net.Conn) {
		var b [4096]byte
		_, _ = c.Read(b[:])
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		hold(c)
	},
	"silent": hold,
	"closes": func(c net.Conn) {
		var b [4096]byte
		_, _ = c.Read(b[:])
	},
	// A response that lasts until the end of the connection, which ends without a TLS
	// close_notify: it may be truncated (RFC 9112 section 9.8).
	"abrupt": overTLS(func() *tls.Config { return serverConfig(goodCertificate()) }, "HTTP/1.1 200 OK\r\n\r\nas long as it lasts"),
}

// overTLS answers one request over TLS and closes the connection underneath.
func overTLS(config func() *tls.Config, answer string) func(net.Conn) {
	config = sync.OnceValue(config)
	return func(c net.Conn) {
		s := tls.Server(c, config())
		var b [4096]byte
		if _, err := s.Read(b[:]); err != nil {
			return
		}
		io.WriteString(s, answer)
	}
}

// tls NAME starts the TLS server NAME at $TARGET.
func cmdTLS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || tlsServers[args[0]] == nil {
		ts.Fatalf("usage: tls NAME")
	}
	d, err := listenDeaf(tlsServers[args[0]])
	ts.Check(err)
	sessionOf(ts).start(ts, d, "https://"+d.l.Addr().String())
}
