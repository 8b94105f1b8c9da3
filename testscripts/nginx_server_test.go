//go:build unix

package testscripts

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// An nginx is a server on loopback, with all its files in the test's directory.
type nginx struct {
	t           *testing.T
	url, tlsURL string
	dir         string
	running     *program // nil while it is down
}

// nginxConfig is formatted with the directory, two ports, the user line and a backend.
const nginxConfig = `
daemon off;
worker_processes 1;
error_log stderr notice;
pid %[1]s/pid;
%[4]s
events { worker_connections 512; }
http {
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	log_format id '$http_x_request_id $status $uri';
	access_log %[1]s/access.log id;
	default_type text/html;
	keepalive_requests 100;
	limit_req_zone $binary_remote_addr zone=few:32k rate=50r/s;
	upstream backend { server %[5]s; keepalive 8; }
	server {
		listen 127.0.0.1:%[2]d;
		listen 127.0.0.1:%[3]d ssl;
		ssl_certificate %[1]s/cert.pem;
		ssl_certificate_key %[1]s/key.pem;
		root %[1]s/html;
		location = /small { return 200 "hello, world\n"; }
		location = /ssi.html { ssi on; }
		location = /gzip.html { gzip on; gzip_min_length 1; }
		location = /503 { return 503; }
		location = /302 { return 302 /small; }
		location = /204 { return 204; }
		location = /limited { limit_req zone=few burst=5 nodelay; }
		location /proxied/ {
			proxy_pass http://backend/; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_next_upstream off;
		}
	}
}
`

// page is the content of /page.html, /ssi.html, /gzip.html and /limited: 8900 octets.
var page = strings.Repeat("<p>The quick brown fox jumps over the lazy dog, again and again, and once more, and yet again.</p>", 89)

// startNginx starts an nginx whose /proxied/ is answered by backend, given as host and
// port. It skips the test if nginx is not installed.
func startNginx(t *testing.T, backend string) *nginx {
	t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("nginx is not installed (apt-get install nginx)")
	}
	n := &nginx{t: t, dir: t.TempDir()}
	n.files(backend)
	n.start()
	t.Cleanup(n.kill)
	return n
}

// files writes the configuration, with two free ports, and the content.
func (n *nginx) files(backend string) {
	var ports [2]int
	for i := range ports {
		p, err := targettest.HoldPort()
		require.NoError(n.t, err)
		n.t.Cleanup(p.Release)
		ports[i] = p.Number
	}
	n.url = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	n.tlsURL = fmt.Sprintf("https://127.0.0.1:%d", ports[1])
	user := "" // only root can change it
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	cert := goodCertificate()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	require.NoError(n.t, err)
	require.NoError(n.t, os.Mkdir(filepath.Join(n.dir, "html"), 0o777))
	for name, content := range map[string][]byte{
		"conf":           fmt.Appendf(nil, nginxConfig, n.dir, ports[0], ports[1], user, backend),
		"cert.pem":       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}),
		"key.pem":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"ca.pem":         theAuthority().pem,
		"html/page.html": []byte(page),
		"html/gzip.html": []byte(page),
		"html/limited":   []byte(page),
		"html/ssi.html":  []byte(page[:4450] + `<!--# echo var="uri" -->` + page[4450:]),
	} {
		require.NoError(n.t, os.WriteFile(filepath.Join(n.dir, name), content, 0o666))
	}
}

// start returns when nginx listens.
func (n *nginx) start() {
	n.t.Helper()
	cmd := exec.Command("nginx", "-p", n.dir, "-c", "conf", "-e", "stderr")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that kill ends its workers too
	p, err := startProgram(cmd)
	require.NoError(n.t, err)
	n.running = p
	ctx, cancel := context.WithTimeout(n.t.Context(), bound)
	defer cancel()
	_, err = p.stderr.await(ctx, p.ended, "start worker process ")
	require.NoError(n.t, err)
}

// quit ends nginx gracefully: requests in flight are answered, and the log is complete
// when it returns.
func (n *nginx) quit() {
	n.t.Helper()
	require.NoError(n.t, n.running.cmd.Process.Signal(syscall.SIGQUIT))
	require.Zero(n.t, n.running.wait(), n.running.stderr.String())
	n.running = nil
}

// kill ends nginx at once. It may already be down.
func (n *nginx) kill() {
	if n.running == nil {
		return
	}
	_ = syscall.Kill(-n.running.cmd.Process.Pid, syscall.SIGKILL) // it may already have ended
	<-n.running.ended                                             // closed when its workers have ended, too
	n.running = nil
}

// logged returns the ids and statuses in nginx's access log.
func (n *nginx) logged() (ids []string, statuses map[string]int) {
	n.t.Helper()
	b, err := os.ReadFile(filepath.Join(n.dir, "access.log"))
	require.NoError(n.t, err)
	statuses = make(map[string]int)
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		require.Len(n.t, f, 3, "%q", line)
		ids = append(ids, f[0])
		statuses[f[1]]++
	}
	return ids, statuses
}
