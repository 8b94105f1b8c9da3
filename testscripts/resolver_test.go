//go:build unix

package testscripts

import (
	"fmt"
	"log"
	"net"
)

// silentResolver is the command silent-resolver: a name server that never answers. It
// prints when it is ready and runs until it is killed.
func silentResolver() {
	if _, err := net.ListenPacket("udp", "127.0.0.1:53"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	select {}
}
