// SPDX-License-Identifier: Apache-2.0

// An HTTP server in a Keep: net/http over a socket that was given to it
// (FD_NAMES says which).  TLS is below it, made by the Keep.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

// listener finds the descriptor called name.
func listener(name string) (net.Listener, error) {
	for fd, n := range strings.Split(os.Getenv("FD_NAMES"), ":") {
		if n == name {
			return net.FileListener(os.NewFile(uintptr(fd), n))
		}
	}
	return nil, fmt.Errorf("no descriptor called %q", name)
}

func main() {
	l, err := listener("web")
	if err != nil {
		log.Fatal(err)
	}
	visits := 0
	http.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
		visits++
		fmt.Fprintf(w, "hello %s from Go inside a Keep, visit %d\n",
			r.PathValue("name"), visits)
	})
	http.HandleFunc("POST /sum", func(w http.ResponseWriter, r *http.Request) {
		people, total := 0, 0
		for {
			var name string
			var amount int
			if n, _ := fmt.Fscan(r.Body, &name, &amount); n < 2 {
				break
			}
			people++
			total += amount
		}
		fmt.Fprintf(w, "%d people earn %d\n", people, total)
	})
	fmt.Println("listening")
	log.Fatal(http.Serve(l, nil))
}
