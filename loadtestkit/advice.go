package loadtestkit

import (
	"fmt"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// advise adds to an error what to do about it, where TLS or its protocol makes a
// server unusable.
func advise(err error) error {
	if about := adviceTLS(http1.CauseOf(err)); about != "" {
		return fmt.Errorf("%w; %s", err, about)
	}
	return err
}

func adviceTLS(c http1.Cause) string {
	const skip = "its InsecureSkipVerify skips verification"
	switch c {
	case http1.UnknownAuthority:
		return "Server.TLSConfig, in its RootCAs, has the certificates to trust, as the file has that SSL_CERT_FILE names; " +
			"of an httptest server s: s.Client().Transport.(*http.Transport).TLSClientConfig; " + skip
	case http1.Expired:
		return "is the clock of this machine right? In Server.TLSConfig, " + skip
	case http1.WrongName:
		return "Server.TLSConfig, in its ServerName, has the name to expect; " + skip
	case http1.OtherCertificate:
		return "in Server.TLSConfig, " + skip
	case http1.UnknownName:
		return "Server.TLSConfig, in its ServerName, has the name to send"
	case http1.Version:
		return "Server.TLSConfig, in its MinVersion and MaxVersion, says which versions to use"
	case http1.ClientCertificate:
		return "Server.TLSConfig, in its Certificates, gives it one"
	case http1.Refused:
		return "it may want a client certificate, another ServerName or another version, all in Server.TLSConfig"
	case http1.PlainHTTP:
		return "http:// in the URL, or the port that speaks TLS"
	case http1.NotTLS:
		return "is this the port of its https?"
	case http1.TLSHere:
		return "https:// in the URL"
	}
	return ""
}
