package loadtestkit

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// A certificate that is not trusted is an error that names the field to set.
func TestPrivateAuthority(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	f, _ := runFake(&fakeTB{}, Options{Target: URL(s.URL), Count: 1})
	require.Len(t, f.errors, 1)
	assert.Contains(t, f.errors[0], "certificate signed by unknown authority; Server.TLSConfig")
	assert.NotContains(t, f.errors[0], "--")

	_, err := Measure(t.Context(), Options{Target: URL(s.URL), Count: 1})
	assert.ErrorContains(t, err, "; Server.TLSConfig")
	var unknown x509.UnknownAuthorityError
	assert.ErrorAs(t, err, &unknown)

	trusting := URL(s.URL)
	trusting.TLSConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	r, err := Measure(t.Context(), Options{Target: trusting, Count: 1})
	require.NoError(t, err)
	assert.Equal(t, int64(1), r.Completed)
}

// Each cause but the one that says it all has advice in the words of this package.
func TestTLSAdvice(t *testing.T) {
	for cause := http1.NoCause + 1; cause < http1.OnlyHTTP2; cause++ {
		assert.NotEmpty(t, adviceTLS(cause))
		assert.NotContains(t, adviceTLS(cause), "--")
	}
	plain := fmt.Errorf("connecting: %w", tls.RecordHeaderError{RecordHeader: [5]byte([]byte("HTTP/"))})
	assert.ErrorContains(t, advise(plain), "; http:// in the URL")
	other := errors.New("refused")
	assert.Equal(t, other, advise(other))
}

func TestServerAddress(t *testing.T) {
	s := URL("http://127.0.0.1")
	s.Address = "some"
	_, err := Measure(t.Context(), Options{Target: s, Count: 1})
	assert.ErrorContains(t, err, `options: Server.Address: "some", want all or first`)
}
