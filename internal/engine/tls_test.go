package engine

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// certificate makes one that signs itself, for loopback and an hour, except for
// what edit changes.
func certificate(t *testing.T, edit func(*x509.Certificate)) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "engine test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	edit(c)
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// trusting is a client's configuration that trusts c.
func trusting(c tls.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(c.Leaf)
	return &tls.Config{RootCAs: pool}
}

// secure starts an https server and counts what it serves.
func secure(t *testing.T, config *tls.Config) (url string, seen *atomic.Int64) {
	seen = new(atomic.Int64)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	s.TLS = config
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, seen
}

func TestPreflightShakesHands(t *testing.T) {
	good := certificate(t, func(*x509.Certificate) {})
	for _, c := range []struct {
		edit    func(*x509.Certificate)
		message string
	}{
		{func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, "certificate has expired or is not yet valid"},
		{func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, "certificate has expired or is not yet valid"},
		{func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"example.com"} }, "cannot validate certificate for 127.0.0.1"},
	} {
		cert := certificate(t, c.edit)
		url, seen := secure(t, &tls.Config{Certificates: []tls.Certificate{cert}})
		refuses(t, RunOptions{Target: Target{URL: url, RequestOptions: RequestOptions{TLSConfig: trusting(cert)}}}, record.TLS, c.message, c.message)
		assert.Zero(t, seen.Load())

		r := run(t, RunOptions{Target: Target{URL: url, RequestOptions: RequestOptions{TLSConfig: &tls.Config{InsecureSkipVerify: true}}}, Requests: 20})
		assert.Equal(t, int64(20), r.Requests.Succeeded, "unverified: %s", c.message)
		assert.True(t, r.Config.Insecure)
		assert.Equal(t, int64(20), seen.Load())
	}

	url, seen := secure(t, &tls.Config{Certificates: []tls.Certificate{good}})
	refuses(t, RunOptions{Target: Target{URL: url}}, record.TLS, "unknown authority", "not trusted by the system")
	assert.Zero(t, seen.Load())
	r := run(t, RunOptions{Target: Target{URL: url, RequestOptions: RequestOptions{TLSConfig: trusting(good), NoKeepAlive: true}}, Requests: 20})
	assert.Equal(t, int64(20), r.Requests.Succeeded, "trusted")
	assert.Equal(t, seen.Load(), reached(r))

	url, _ = secure(t, &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	refuses(t, RunOptions{Target: Target{URL: url, RequestOptions: RequestOptions{TLSConfig: trusting(good)}}}, record.TLS, "protocol version", "TLS of another time")

	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	refuses(t, RunOptions{Target: Target{URL: "https" + plain.URL[len("http"):]}}, record.TLS, "plain HTTP", "no TLS there")
}

// A server may be known by another name than the one it is reached by.
func TestServerNameOfTheConfiguration(t *testing.T) {
	cert := certificate(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"api.example"} })
	url, _ := secure(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	config := trusting(cert)
	config.ServerName = "api.example"
	r := run(t, RunOptions{Target: Target{URL: url, RequestOptions: RequestOptions{TLSConfig: config}}, Requests: 5})
	assert.Equal(t, int64(5), r.Requests.Succeeded)
}

func TestSilentAndRudeTLSServers(t *testing.T) {
	t.Parallel()
	silent := "https://" + deafServer(t, "")
	refuses(t, RunOptions{Target: Target{URL: silent}, Settings: Settings{Timeout: 500 * time.Millisecond}}, record.Timeout, "i/o timeout", "the kernel accepts, nothing answers")
	refuses(t, RunOptions{Target: Target{URL: "https://" + deafServer(t, "hello, this is not TLS")}}, record.TLS, "first record does not look like a TLS handshake", "another protocol")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); err == nil {
			c.Read(make([]byte, 64<<10)) // all of it, or else this is a reset
			c.Close()
		}
	}()
	refuses(t, RunOptions{Target: Target{URL: "https://" + l.Addr().String()}}, record.TLS, "closed the connection", "hangs up on the client's hello")
	l.Close()
	<-done
}
