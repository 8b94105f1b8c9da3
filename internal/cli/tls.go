package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// tlsFlags are what the flags say about TLS.
type tlsFlags struct {
	insecure          bool
	cacert, cert, key string // files
	serverName        string
	least, most       uint16 // versions; 0 means that of crypto/tls
}

// tlsNames are the flags about TLS.
var tlsNames = []string{"insecure", "cacert", "cert", "key", "servername", "tls-min", "tls-max"}

// tlsVersions are the versions that flags name.
var tlsVersions = []string{"1.0", "1.1", "1.2", "1.3"}

// parseTLSVersion reads a version of TLS.
func parseTLSVersion(s string) (uint16, error) {
	i := slices.Index(tlsVersions, s)
	if i < 0 {
		return 0, fmt.Errorf("want one of %s", strings.Join(tlsVersions, ", "))
	}
	return tls.VersionTLS10 + uint16(i), nil
}

// addTLS adds the flags about TLS.
func (j *job) addTLS() {
	t := &j.tls
	j.add([]flag{
		{"insecure,k", "", "", "do not verify the server's certificate", on(&t.insecure), "TLSConfig"},
		{"cacert", "FILE", "the system's, or SSL_CERT_FILE and SSL_CERT_DIR", "PEM file of the certificates to trust\n", into(&t.cacert, nonEmpty), ""},
		{"cert,E", "FILE", "", "PEM file of the client's certificate, and of its key without --key", into(&t.cert, nonEmpty), ""},
		{"key", "FILE", "", "PEM file of the key to --cert", into(&t.key, nonEmpty), ""},
		{"servername", "NAME", "the host of the URL", "name to send (SNI) and to verify the certificate for\n", into(&t.serverName, nonEmpty), ""},
		{"tls-min", "VERSION", "1.2", "oldest version of TLS: " + strings.Join(tlsVersions, ", "), into(&t.least, parseTLSVersion), ""},
		{"tls-max", "VERSION", "1.3", "newest version of TLS", into(&t.most, parseTLSVersion), ""},
	})
	j.complete("tls-min", tlsVersions...)
	j.complete("tls-max", tlsVersions...)
}

// readTLS makes the configuration that the flags describe, and reads its files.
func (j *job) readTLS() {
	t := &j.tls
	if *t == (tlsFlags{}) {
		return
	}
	j.needOne("key", "cert")
	if t.least > 0 && t.most > 0 && t.least > t.most {
		j.faults.add("--tls-min is newer than --tls-max, want it older or the same")
	}
	c := &tls.Config{InsecureSkipVerify: t.insecure, ServerName: t.serverName, MinVersion: t.least, MaxVersion: t.most}
	if t.most > 0 && t.most < tls.VersionTLS12 && t.least == 0 {
		c.MinVersion = t.most
	}
	if t.cacert != "" {
		c.RootCAs = j.readAuthorities(t.cacert)
	}
	if t.cert != "" {
		c.Certificates = j.readCertificate(t.cert, t.key)
	}
	j.request.TLSConfig = c
}

// readAuthorities reads the certificates to trust.
func (j *job) readAuthorities(name string) *x509.CertPool {
	pool := x509.NewCertPool()
	if b, ok := j.readPEM("cacert", name); ok && !pool.AppendCertsFromPEM(b) {
		j.faults.add("--cacert %q: no valid certificate in PEM form in it, want lines that begin with -----BEGIN CERTIFICATE-----", name)
	}
	return pool
}

// readCertificate reads the client's certificate and its key, which may be in the
// same file.
func (j *job) readCertificate(name, keyName string) []tls.Certificate {
	cert, ok := j.readPEM("cert", name)
	flag, key := "cert", cert
	if keyName == "" {
		keyName = name
	} else {
		var read bool
		flag = "key"
		key, read = j.readPEM(flag, keyName)
		ok = ok && read
	}
	if !ok {
		return nil
	}
	switch block := privateKey(key); {
	case !bytes.Contains(cert, []byte("-----BEGIN CERTIFICATE-----")):
		j.faults.add("--cert %q: no certificate in PEM form in it, want lines that begin with -----BEGIN CERTIFICATE-----", name)
	case block == nil:
		j.faults.add("--%s %q: no private key in PEM form in it, want it there or with --key FILE", flag, keyName)
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		j.faults.add("--%s %q: its private key is encrypted, want it in the clear: openssl pkey -in %s -out FILE", flag, keyName, keyName)
	default:
		c, err := tls.X509KeyPair(cert, key)
		if err == nil {
			return []tls.Certificate{c}
		}
		if strings.Contains(err.Error(), "private key") {
			err = fmt.Errorf("%w of --cert %q", err, name)
		}
		j.faults.add("--%s %q: %v", flag, keyName, err)
	}
	return nil
}

// privateKey returns the first private key in a PEM file; nil if there is none.
func privateKey(b []byte) *pem.Block {
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil || strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return block
		}
	}
}

// readPEM reads the file of a flag.
func (j *job) readPEM(flag, name string) (b []byte, ok bool) {
	b, err := readFile(name, maxPEM)
	if err != nil {
		j.faults.add("--%s %q: %v", flag, name, cause(err))
		return nil, false
	}
	return b, true
}

// adviceTLS is what to do about a server that TLS or its protocol makes unusable for a
// cause; "" if the error says it all.
func adviceTLS(cause http1.Cause) string {
	const skip = "--insecure skips verification"
	switch cause {
	case http1.UnknownAuthority:
		return "--cacert FILE names the certificates to trust, as SSL_CERT_FILE does" + trusted() + "; " + skip
	case http1.Expired:
		return "is the clock of this machine right? " + skip
	case http1.WrongName:
		return "--servername NAME expects another name; " + skip
	case http1.OtherCertificate:
		return skip
	case http1.UnknownName:
		return "--servername NAME sends one"
	case http1.Version:
		return "--tls-min and --tls-max say which versions to use: --tls-min 1.0 allows old ones"
	case http1.ClientCertificate:
		return "--cert FILE and --key FILE give it one"
	case http1.Refused:
		return "it may want a client certificate (--cert), another name (--servername) or another version (--tls-min, --tls-max)"
	case http1.PlainHTTP:
		return "http:// in the URL, or the port that speaks TLS"
	case http1.NotTLS:
		return "is this the port of its https?"
	case http1.TLSHere:
		return "https:// in the URL"
	}
	return ""
}

// trusted says which files the environment names in place of the system's.
func trusted() string {
	var set []string
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value := os.Getenv(name); value != "" {
			set = append(set, name+"="+value)
		}
	}
	if len(set) == 0 {
		return ""
	}
	return " (now " + strings.Join(set, ", ") + ")"
}
