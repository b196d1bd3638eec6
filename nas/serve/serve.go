// Package serve shows the runs below a folder as pages of a web server, live while they go.
//
// The server only reads. It answers on this machine unless told otherwise, and to other machines only with
// a token. It looks at files while a page is open, and does nothing else; it changes nothing in the folder
// and keeps no run from going on.
//
// index finds runs and what the list says of each, by what their files have gained. watch looks at them
// four times a second while a page is open. guard refuses what must not be answered. site makes the pages
// under the addresses of routes.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// DefaultAddress is where the pages are unless told otherwise.
const DefaultAddress = "127.0.0.1:6006"

// Limits of a connection. A client that sends or takes its bytes too slowly is let go.
const (
	idleTime        = 30 * time.Second
	mostHeader      = 16 << 10 // bytes
	mostConnections = 256
)

// Server shows the runs below a folder.
type Server struct {
	*site
	listener net.Listener
	handler  *guard
}

// Open listens at an address, HOST:PORT, for those who want to see the runs below dir. The caller has to
// call Serve, or Close. An address that is not loopback needs a token, which URL has.
func Open(dir, address string) (*Server, error) {
	listener, err := Listen(address)
	if err != nil {
		return nil, err
	}
	s, err := New(dir, listener)
	if err != nil {
		listener.Close()
	}
	return s, err
}

// Listen listens at an address, HOST:PORT.
func Listen(address string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("serve: address %q: want HOST:PORT, such as %s", address, DefaultAddress)
	}
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("serve: %s: %w: choose another port, or 0 for a free one", address, syscall.EADDRINUSE)
	}
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	return listener, nil
}

// New makes a server of the runs below dir, which is there, at a listener, which becomes its own.
func New(dir string, listener net.Listener) (*Server, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("serve: there is no folder %s", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	base, err := filepath.Abs(dir)
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("serve: %w", err)
	}
	pages := &site{root: root, base: filepath.Base(base), index: newIndex(root), readTime: 5 * time.Second, writeTime: 10 * time.Second}
	pages.watch = newWatch(pages.index)
	return &Server{pages, listener, newGuard(routes(pages), listener.Addr())}, nil
}

// URL returns the address of the list of runs, with the token if it needs one.
func (s *Server) URL() string { return s.at("/") }

// RunURL returns the address of the page of the folder itself, which is that of a run.
func (s *Server) RunURL() string { return s.at(address("run", ".")) }

func (s *Server) at(path string) string {
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	url := "http://" + net.JoinHostPort(host, port) + path
	if s.handler.token != "" {
		url += "?token=" + s.handler.token
	}
	return url
}

// Serve answers until ctx ends. It then lets go of the listener and the folder.
func (s *Server) Serve(ctx context.Context) error {
	defer s.Close()
	requests, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: s.readTime,
		ReadTimeout:       s.readTime,
		WriteTimeout:      3 * s.writeTime, // making a page included; events have deadlines of their own
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    mostHeader,

		DisableGeneralOptionsHandler: true, // the guard refuses OPTIONS as other methods
		BaseContext:                  func(net.Listener) context.Context { return requests },
		ErrorLog:                     log.New(io.Discard, "", 0), // what a client does wrong is of no interest to the run
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-requests.Done()
		shut, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		if server.Shutdown(shut) != nil {
			server.Close()
		}
	}()
	err := server.Serve(&limitedListener{Listener: s.listener, free: make(chan struct{}, mostConnections)})
	cancel()
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// Close ends a server that does not serve.
func (s *Server) Close() {
	s.listener.Close()
	s.root.Close()
}

// limitedListener accepts a connection when fewer than its limit are open.
type limitedListener struct {
	net.Listener
	free chan struct{} // holds a value for each open connection
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	l.free <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.free })}, nil
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
