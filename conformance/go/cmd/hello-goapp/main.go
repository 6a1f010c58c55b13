// Command hello-goapp serves the App of hello/goapp on a free port of loopback, for tests that are not written in Go.
//
// It is told of the provider by the variables of examples/hello-oauth2 (HELLO_OAUTH2_AUTHORIZE_URL and its like), prints
// where it answers, and ends on SIGTERM.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mattermost/mattermost-plugin-apps/apps"
	"golang.org/x/oauth2"

	"tessera/conformance/hello"
	"tessera/conformance/hello/goapp"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "hello-goapp:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	provider, err := settings()
	if err != nil {
		return err
	}
	app, err := goapp.New(provider)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// What the framework's RunHTTP does, which cannot be told to find a port by itself.
	root := "http://" + listener.Addr().String()
	app.Mode = apps.DeployHTTP
	app.Manifest.Deploy.HTTP = &apps.HTTP{RootURL: root}
	server := &http.Server{Handler: app.Router, ReadHeaderTimeout: 3 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Println("hello-goapp answers on", root)
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

// settings reads what an App must know of the provider.
func settings() (hello.Provider, error) {
	const prefix = "HELLO_OAUTH2_"
	var missing []string
	required := func(name string) string {
		value := os.Getenv(prefix + name)
		if value == "" {
			missing = append(missing, prefix+name)
		}
		return value
	}
	provider := hello.Provider{
		Endpoint: oauth2.Endpoint{
			AuthURL:  required("AUTHORIZE_URL"),
			TokenURL: required("TOKEN_URL"),
			// Never guessed: a library that tries both ways spends a code, or hides what the provider said.
			AuthStyle: oauth2.AuthStyleInHeader,
		},
		Scopes:      strings.Fields(os.Getenv(prefix + "SCOPES")),
		ResourceURL: required("CALENDAR_URL"),
		Issuer:      os.Getenv(prefix + "ISSUER"),
		RevokeURL:   os.Getenv(prefix + "REVOKE_URL"),
	}
	if missing != nil {
		return provider, errors.New("not set: " + strings.Join(missing, ", "))
	}
	switch os.Getenv(prefix + "CLIENT_AUTH") {
	case "", "basic":
	case "form":
		provider.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	default:
		return provider, errors.New(prefix + "CLIENT_AUTH: write basic or form")
	}
	params, err := url.ParseQuery(os.Getenv(prefix + "AUTHORIZE_PARAMS"))
	if err != nil {
		return provider, fmt.Errorf("%sAUTHORIZE_PARAMS: %w", prefix, err)
	}
	provider.AuthorizeParams = params
	return provider, nil
}
