package http1

import (
	"errors"
	"math"

	"github.com/loadtestkit/load-tester/internal/record"
)

// frame decides, at the end of a header section, where the message ends (RFC
// 9112 section 6.3, in its order) and whether the connection can be reused.
// Nothing else decides either.
func (p *Parser) frame() {
	f := &p.fields
	if isInterim(p.code) {
		p.interim++
		p.startHead()
		return
	}
	persists := !f.close && (p.minor > 0 || f.keepAlive)
	faulty := f.coded && (f.sized || p.minor == 0) || f.badCL != ""
	p.reuse = persists && !faulty && p.code != 101
	p.idleLimit = f.idleLimit()

	switch {
	case p.head || p.code == 101 || p.code == 204 || p.code == 304:
		p.state = isDone
	case f.badTE != "":
		p.fail(record.Malformed, errors.New("reading header section: "+f.badTE))
	case f.chunked:
		p.startChunk(p.octets)
	case f.coded:
		p.state, p.reuse = inClose, false
	case f.badCL != "":
		p.fail(record.Malformed, errors.New("reading header section: "+f.badCL))
	case !f.sized:
		p.state, p.reuse = inClose, false
	case f.length == 0:
		p.state = isDone
	default:
		p.state, p.remain = inLength, f.length
	}
}

// startHead makes p ready for the header section after an interim response.
func (p *Parser) startHead() {
	p.state, p.pos, p.empty, p.code = atStart, 0, 0, 0
	p.fields = fields{}
	p.limit = min(p.octets+maxHead, maxHeads)
}

// startChunk makes p ready for the chunk line that begins after octet at.
func (p *Parser) startChunk(at int64) {
	p.state, p.limit, p.remain = atSize, at+maxChunkLine, 0
}

// data consumes octets of a body of known length or of a chunk.
func (p *Parser) data(b []byte) int {
	k := min(int64(len(b)), p.remain)
	p.remain -= k
	p.take(b[:k])
	switch {
	case p.remain > 0:
	case p.state == inLength:
		p.state = isDone
	default:
		p.state = atChunkCR
	}
	return int(k)
}

// chunkEnd consumes the CRLF after a chunk's data.
func (p *Parser) chunkEnd(b []byte) int {
	i := 0
	if p.state == atChunkCR {
		if b[0] != '\r' {
			return p.unexpected(b, 0)
		}
		p.state = atChunkLF
		i++
	}
	if i == len(b) {
		return i
	}
	if b[i] != '\n' {
		return p.unexpected(b, i)
	}
	p.startChunk(p.octets + int64(i) + 1)
	return i + 1
}

// chunkLine consumes octets of a line that begins a chunk (RFC 9112 section
// 7.1): its size, extensions, which are ignored, and CRLF, never LF alone
// (erratum 7633). Any number of leading zeros is allowed.
func (p *Parser) chunkLine(b []byte) int {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch p.state {
		case atSize, inSize:
			if d := unhex(c); d >= 0 {
				if p.remain > math.MaxInt64>>4 {
					return p.unexpected(b, i)
				}
				p.remain = p.remain<<4 | d
				p.state = inSize
				continue
			}
			if p.state == atSize {
				return p.unexpected(b, i)
			}
			fallthrough
		case afterBWS:
			switch c {
			case ' ', '\t':
				p.state = afterBWS
			case ';':
				p.state = inExt
			case '\r':
				p.state = atSizeLF
			default:
				return p.unexpected(b, i)
			}
		case inExt:
			i += textLen(b[i:])
			if i == len(b) {
				return i
			}
			switch b[i] {
			case '\r':
				p.state = atSizeLF
			case '\n', 0:
				return p.unexpected(b, i)
			}
		case atSizeLF:
			if c != '\n' {
				return p.unexpected(b, i)
			}
			p.endChunkLine(p.octets + int64(i) + 1)
			return i + 1
		}
	}
	return len(b)
}

// endChunkLine goes on to the chunk's data or, after the last chunk, to the
// trailer section that begins after octet at. Trailers are checked and ignored.
func (p *Parser) endChunkLine(at int64) {
	if p.remain > 0 {
		p.state = inChunk
		return
	}
	p.state, p.trailer, p.limit = atLine, true, at+maxTrailers
	p.fields = fields{}
}
