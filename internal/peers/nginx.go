package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// plainBody is the number of octets in nginx's response at /.
const plainBody = 13

// bodies are the sizes in octets of the files that nginx serves, each at /SIZE.
var bodies = []int{1 << 10, 64 << 10, 1 << 20}

// nginxConfig serves everything from one worker. It keeps nginx's own cost low,
// so that the client is what is measured: nothing is logged, and connections
// stay open until the client closes them. All clients offer the one cipher
// suite, so that they do the same work.
const nginxConfig = `daemon off;
worker_processes 1;
worker_rlimit_nofile %[3]d;
pid %[4]s/nginx.pid;
error_log stderr crit;
events { worker_connections %[3]d; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=100;
  client_body_temp_path %[4]s/tmp; proxy_temp_path %[4]s/tmp; fastcgi_temp_path %[4]s/tmp;
  uwsgi_temp_path %[4]s/tmp; scgi_temp_path %[4]s/tmp;
  server {
    listen 127.0.0.1:%[1]d backlog=16384;
    listen 127.0.0.1:%[2]d ssl backlog=16384;
    ssl_certificate %[4]s/cert.pem;
    ssl_certificate_key %[4]s/key.pem;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    default_type text/plain;
    root %[4]s;
    location = / { return 200 "hello, world\n"; }
    location = /status { stub_status; }
  }
}
`

// An nginx is a running nginx, started for one table.
type nginx struct {
	plain, tls string // URLs without a path
	cmd        *exec.Cmd
}

// findNginx returns the path of nginx.
func findNginx() (string, error) {
	path, err := exec.LookPath("nginx")
	if err != nil { // Debian's place for it is not on every PATH
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	return path, err
}

// startNginx starts nginx on the server's CPU. The caller must stop it.
func (b *bench) startNginx(ctx context.Context) (*nginx, error) {
	path, err := findNginx()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "nginx")
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o755); err != nil {
		return nil, err
	}
	if err := writeFiles(dir); err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(nginxConfig, ports[0], ports[1], min(b.files, 20_000), dir)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o644); err != nil {
		return nil, err
	}
	n := &nginx{
		plain: fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		tls:   fmt.Sprintf("https://127.0.0.1:%d", ports[1]),
		cmd:   newCommand(ctx, path, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log")),
	}
	n.cmd.Stderr = b.log
	if err := startOn(b.server, n.cmd); err != nil {
		return nil, err
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err = n.status(ctx); err == nil {
			return n, nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			n.stop()
			return nil, fmt.Errorf("starting nginx: %w", err)
		}
	}
}

// stop ends nginx and its worker.
func (n *nginx) stop() {
	_ = n.cmd.Cancel()
	_ = n.cmd.Wait()
}

// A status is what nginx counts, including the request for the status itself.
type status struct {
	requests int64 // since the start
	accepted int64 // connections since the start
	open     int   // connections
}

// status asks nginx for its status.
func (n *nginx) status(ctx context.Context) (status, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.plain+"/status", nil)
	if err != nil {
		return status{}, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return status{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return status{}, err
	}
	return parseStatus(string(text))
}

// parseStatus reads the output of nginx's stub_status.
func parseStatus(text string) (status, error) {
	var s status
	var handled int64
	_, err := fmt.Sscanf(text, "Active connections: %d\nserver accepts handled requests\n %d %d %d", &s.open, &s.accepted, &handled, &s.requests)
	if err != nil {
		return s, fmt.Errorf("reading nginx's status %q: %w", text, err)
	}
	return s, nil
}

// waitIdle waits until nginx has closed the connections of the previous tool,
// so that every tool meets the same server.
func (n *nginx) waitIdle(ctx context.Context) (status, error) {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		s, err := n.status(ctx)
		if err != nil || s.open <= 1 {
			return s, err
		}
		if time.Now().After(end) {
			return s, fmt.Errorf("nginx still has %d connections", s.open)
		}
	}
}

// freePorts returns n ports of loopback on which nothing listens. They lie below
// those that Linux gives to outgoing connections (32768 and up), because a tool
// with many of these could take one before the server does.
func freePorts(n int) ([]int, error) {
	var ports []int
	for port := 20_080; port < 32_768 && len(ports) < n; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, err
		}
		l.Close()
		ports = append(ports, port)
	}
	if len(ports) < n {
		return nil, errors.New("no free port on loopback below 32768")
	}
	return ports, nil
}

// writeFiles writes the bodies that nginx serves, and a certificate.
func writeFiles(dir string) error {
	var errs []error
	for _, n := range bodies {
		errs = append(errs, os.WriteFile(filepath.Join(dir, strconv.Itoa(n)), make([]byte, n), 0o644))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) {
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	write("cert.pem", "CERTIFICATE", der)
	write("key.pem", "PRIVATE KEY", secret)
	return errors.Join(errs...)
}
