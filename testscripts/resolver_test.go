//go:build unix

package testscripts

import (
	"fmt"
	"log"
	"net"
)

// silentResolver is a command: a name server that never answers. It says when
// it is there, and goes on until it is killed.
func silentResolver() {
	if _, err := net.ListenPacket("udp", "127.0.0.1:53"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	select {}
}
