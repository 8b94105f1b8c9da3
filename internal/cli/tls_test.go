package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// writePEM writes blocks to a file of its own, and returns its name.
func writePEM(t *testing.T, blocks ...*pem.Block) string {
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(b)...)
	}
	name := filepath.Join(t.TempDir(), "file.pem")
	require.NoError(t, os.WriteFile(name, text, 0o600))
	return name
}

// keyPair makes a certificate for a name that signs itself, and its key.
func keyPair(t *testing.T, name string) (cert, key *pem.Block) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	shape := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, &k.PublicKey, k)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	return &pem.Block{Type: "CERTIFICATE", Bytes: der}, &pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}
}

func TestTLSFlags(t *testing.T) {
	cert, key := keyPair(t, "api.test")
	pair, err := tls.X509KeyPair(pem.EncodeToMemory(cert), pem.EncodeToMemory(key))
	require.NoError(t, err)
	versions := make(chan uint16, 4)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		versions <- r.TLS.Version
		assert.Equal(t, "api.test", r.TLS.ServerName)
		assert.Len(t, r.TLS.PeerCertificates, 1)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS10}
	s.StartTLS()
	t.Cleanup(s.Close)
	certFile, keyFile, both := writePEM(t, cert), writePEM(t, key), writePEM(t, key, cert)
	for _, args := range [][]string{{"--cert", certFile, "--key", keyFile}, {"-E", both}, {"-E", both, "--tls-max", "1.1"}, {"-E", both, "--tls-min", "1.0", "--tls-max", "1.2"}} {
		r := newTrial()
		status := r.run(append(args, "-n", "1", "--cacert", certFile, "--servername", "api.test", s.URL)...)
		assert.Equal(t, statusDone, status, "%v: %s", args, r.Stderr)
	}
	for _, want := range []uint16{tls.VersionTLS13, tls.VersionTLS13, tls.VersionTLS11, tls.VersionTLS12} {
		assert.Equal(t, want, <-versions)
	}
}

func TestWrongTLSFlags(t *testing.T) {
	cert, key := keyPair(t, "api.test")
	_, other := keyPair(t, "api.test")
	certFile, keyFile, otherFile := writePEM(t, cert), writePEM(t, key), writePEM(t, other)
	encrypted := writePEM(t, &pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	older := writePEM(t, &pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: []byte("x")})
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--cacert", missing}, fmt.Sprintf("--cacert %q: ", missing)},
		{[]string{"--cacert", keyFile}, fmt.Sprintf("--cacert %q: no valid certificate in PEM form in it", keyFile)},
		{[]string{"--cert", missing}, fmt.Sprintf("--cert %q: ", missing)},
		{[]string{"--cert", keyFile}, fmt.Sprintf("--cert %q: no certificate in PEM form in it", keyFile)},
		{[]string{"--cert", certFile}, fmt.Sprintf("--cert %q: no private key in PEM form in it, want it there or with --key FILE", certFile)},
		{[]string{"--cert", certFile, "--key", missing}, fmt.Sprintf("--key %q: ", missing)},
		{[]string{"--cert", certFile, "--key", certFile}, fmt.Sprintf("--key %q: no private key in PEM form in it", certFile)},
		{[]string{"--cert", certFile, "--key", otherFile}, fmt.Sprintf("--key %q: tls: private key does not match public key of --cert %q", otherFile, certFile)},
		{[]string{"--cert", certFile, "--key", encrypted}, fmt.Sprintf("--key %q: its private key is encrypted", encrypted)},
		{[]string{"--cert", certFile, "--key", older}, fmt.Sprintf("--key %q: its private key is encrypted", older)},
		{[]string{"--key", keyFile}, "--key does nothing without --cert"},
		{[]string{"--tls-min", "1.3", "--tls-max", "1.2"}, "--tls-min is newer than --tls-max"},
		{[]string{"--tls-min", "1.4"}, `--tls-min "1.4": want one of 1.0, 1.1, 1.2, 1.3`},
		{[]string{"--address", "some"}, `--address "some": want all or first`},
	} {
		r := newTrial()
		assert.Equal(t, statusUsage, r.run(append(tt.args, "https://127.0.0.1:1")...), tt.args)
		assert.Regexp(t, "^load-tester: .*\n$", r.Stderr.String(), "one line")
		assert.Contains(t, r.Stderr.String(), tt.want)
	}
}

// The advice is about the cause: to skip verification helps only where it failed.
func TestTLSAdvice(t *testing.T) {
	check := func(err error, want string) {
		t.Helper()
		assert.Equal(t, want, adviceTLS(http1.CauseOf(fmt.Errorf("connecting: %w", err))))
	}
	const skip = "--insecure skips verification"
	unverified := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	t.Setenv("SSL_CERT_FILE", "/etc/own.pem")
	t.Setenv("SSL_CERT_DIR", "")
	check(unverified(x509.UnknownAuthorityError{}), "--cacert FILE names the certificates to trust, as SSL_CERT_FILE does (now SSL_CERT_FILE=/etc/own.pem); "+skip)
	t.Setenv("SSL_CERT_FILE", "")
	check(unverified(x509.UnknownAuthorityError{}), "--cacert FILE names the certificates to trust, as SSL_CERT_FILE does; "+skip)
	check(unverified(x509.CertificateInvalidError{Reason: x509.Expired}), "is the clock of this machine right? "+skip)
	check(unverified(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a"}), "--servername NAME expects another name; "+skip)
	check(unverified(errors.New("not trusted")), skip)
	check(errors.New("tls: server selected unsupported protocol version 302"), "--tls-min and --tls-max say which versions to use: --tls-min 1.0 allows old ones")
	check(tls.RecordHeaderError{RecordHeader: [5]byte([]byte("HTTP/"))}, "http:// in the URL, or the port that speaks TLS")
	check(tls.RecordHeaderError{}, "is this the port of its https?")
	check(os.ErrDeadlineExceeded, "")
}
