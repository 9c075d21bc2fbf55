package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Keeps its connections for the next requests, and may be used by all goroutines.
var keyvigil = http.Client{
	Timeout: 5 * time.Second,
	Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", "/run/keyvigil/keyvigil.sock")
		},
	},
}

// verify returns the status for the caller, and the id of the key. Whatever is not 200 is a refusal.
func verify(authorization, permission string) (string, string, error) {
	request, err := http.NewRequest("GET", "http://keyvigil/verify?permission="+url.QueryEscape(permission), nil)
	if err != nil {
		return "", "", err
	}
	request.Header.Set("Authorization", authorization)
	answer, err := keyvigil.Do(request)
	if err != nil {
		return "", "", err
	}
	answer.Body.Close()
	status := answer.Header.Get("X-Keyvigil-Status")
	if status == "" {
		status = fmt.Sprint(answer.StatusCode)
	}
	return status, answer.Header.Get("X-Keyvigil-Key-Id"), nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		status, key, err := verify(lines.Text(), "invoices:read")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(status, key)
	}
}
