// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/flynn/noise"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2pnoise "github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/security/noise/pb"
	"google.golang.org/protobuf/proto"
)

const signaturePrefix = "noise-libp2p-static-key:"

// handshakeAttacks go wrong within the Noise handshake, or right behind it.
var handshakeAttacks = map[string]attack{
	"noise-empty":      firstMessage(nil),
	"noise-short":      firstMessage(random(31)),
	"noise-long":       firstMessage(random(65535)),
	"noise-zero-point": firstMessage(make([]byte, 32)),
	"noise-third": func(ctx context.Context, t target) (string, error) {
		return third(ctx, t, func([]byte) []byte { return nil }, random(200))
	},
	"noise-no-payload":      payload(noPayload),
	"noise-wrong-signature": payload(wrongSignature),
	"noise-other-key":       payload(otherKey),
	"noise-bad-key":         payload(badKey),
	"noise-stolen-key":      stolenKey,
	"noise-huge-payload":    payload(hugePayload),
	"garbage-frame":         garbageFrame,
	"muxer-garbage":         muxerGarbage,
	"muxer-unknown":         muxerUnknown,
	"handshake-flood":       handshakeFlood,
}

func frame(message []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
}

func readFrame(from io.Reader) ([]byte, error) {
	var size uint16
	if err := binary.Read(from, binary.BigEndian, &size); err != nil {
		return nil, err
	}
	message := make([]byte, size)
	_, err := io.ReadFull(from, message)
	return message, err
}

// agree proposes a protocol of a connection and reads the answer.
func agree(on io.ReadWriter, name string) error {
	if _, err := on.Write(append(token(header), token(name)...)); err != nil {
		return err
	}
	answer := make([]byte, len(token(header))+len(token(name)))
	if _, err := io.ReadFull(on, answer); err != nil {
		return err
	}
	if string(answer[len(token(header)):]) != string(token(name)) {
		return fmt.Errorf("%s was not agreed on", name)
	}
	return nil
}

// firstMessage sends something as the first message of the handshake.
func firstMessage(message []byte) attack {
	return func(ctx context.Context, t target) (string, error) {
		conn, err := dialTCP(ctx, t)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		if err := agree(conn, "/noise"); err != nil {
			return "", err
		}
		conn.Write(frame(message))
		return ending(conn)
	}
}

// third makes the first two steps well, and the third with the payload that `compose` gives for our
// static key; or, where `raw` is given, with that for a message.
func third(ctx context.Context, t target, compose func(static []byte) []byte,
	raw []byte) (string, error) {
	conn, err := dialTCP(ctx, t)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := agree(conn, "/noise"); err != nil {
		return "", err
	}
	static, err := noise.DH25519.GenerateKeypair(rand.Reader)
	if err != nil {
		return "", err
	}
	state, err := noise.NewHandshakeState(noise.Config{
		CipherSuite:   noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256),
		Pattern:       noise.HandshakeXX,
		Initiator:     true,
		StaticKeypair: static,
	})
	if err != nil {
		return "", err
	}
	first, _, _, err := state.WriteMessage(nil, nil)
	if err != nil {
		return "", err
	}
	if _, err := conn.Write(frame(first)); err != nil {
		return "", err
	}
	second, err := readFrame(conn)
	if err != nil {
		return "", err
	}
	if _, _, _, err := state.ReadMessage(nil, second); err != nil {
		return "", err
	}
	message := raw
	if raw == nil {
		if message, _, _, err = state.WriteMessage(nil, compose(static.Public)); err != nil {
			return "", err
		}
	}
	conn.Write(frame(message))
	return ending(conn)
}

func newKey() crypto.PrivKey {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func marshalled(key crypto.PubKey) []byte {
	bytes, err := crypto.MarshalPublicKey(key)
	if err != nil {
		panic(err)
	}
	return bytes
}

func signed(key crypto.PrivKey, static []byte) []byte {
	signature, err := key.Sign(append([]byte(signaturePrefix), static...))
	if err != nil {
		panic(err)
	}
	return signature
}

// payload makes the third message with what `compose` gives.
func payload(compose func([]byte, crypto.PrivKey) *pb.NoiseHandshakePayload) attack {
	return func(ctx context.Context, t target) (string, error) {
		key := newKey()
		return third(ctx, t, func(static []byte) []byte {
			content := compose(static, key)
			if content == nil {
				return nil
			}
			bytes, err := proto.Marshal(content)
			if err != nil {
				panic(err)
			}
			return bytes
		}, nil)
	}
}

func noPayload([]byte, crypto.PrivKey) *pb.NoiseHandshakePayload { return nil }

func wrongSignature(static []byte, key crypto.PrivKey) *pb.NoiseHandshakePayload {
	signature := signed(key, static)
	signature[7] ^= 1
	return &pb.NoiseHandshakePayload{IdentityKey: marshalled(key.GetPublic()), IdentitySig: signature}
}

// otherKey shows the signature of another static key.
func otherKey(static []byte, key crypto.PrivKey) *pb.NoiseHandshakePayload {
	return &pb.NoiseHandshakePayload{IdentityKey: marshalled(key.GetPublic()),
		IdentitySig: signed(key, random(len(static)))}
}

func badKey(static []byte, key crypto.PrivKey) *pb.NoiseHandshakePayload {
	return &pb.NoiseHandshakePayload{IdentityKey: random(40), IdentitySig: signed(key, static)}
}

func hugePayload(static []byte, key crypto.PrivKey) *pb.NoiseHandshakePayload {
	return &pb.NoiseHandshakePayload{IdentityKey: marshalled(key.GetPublic()),
		IdentitySig: signed(key, static),
		Extensions:  &pb.NoiseExtensions{WebtransportCerthashes: [][]byte{random(60000)}}}
}

// stolenKey says to be the target itself.
func stolenKey(ctx context.Context, t target) (string, error) {
	public, err := t.info.ID.ExtractPublicKey()
	if err != nil {
		return "", err
	}
	return third(ctx, t, func(static []byte) []byte {
		bytes, _ := proto.Marshal(&pb.NoiseHandshakePayload{IdentityKey: marshalled(public),
			IdentitySig: signed(newKey(), static)})
		return bytes
	}, nil)
}

// ---- behind a handshake ----

type secured struct {
	net.Conn // encrypted
	raw      net.Conn
}

func secure(ctx context.Context, t target, key crypto.PrivKey) (*secured, error) {
	raw, err := dialTCP(ctx, t)
	if err != nil {
		return nil, err
	}
	conn, err := secureOver(ctx, raw, t.info.ID, key)
	if err != nil {
		raw.Close()
		return nil, err
	}
	return &secured{Conn: conn, raw: raw}, nil
}

func secureOver(ctx context.Context, raw net.Conn, id peer.ID, key crypto.PrivKey) (net.Conn, error) {
	if err := agree(raw, "/noise"); err != nil {
		return nil, err
	}
	transport, err := libp2pnoise.New(libp2pnoise.ID, key, nil)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	conn, err := transport.SecureOutbound(ctx, raw, id)
	if err == nil {
		raw.SetDeadline(deadline) // the handshake has cleared it
	}
	return conn, err
}

// garbageFrame sends a frame that nobody encrypted.
func garbageFrame(ctx context.Context, t target) (string, error) {
	conn, err := secure(ctx, t, newKey())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.raw.Write(frame(random(100)))
	return ending(conn.raw)
}

func muxerGarbage(ctx context.Context, t target) (string, error) {
	conn, err := secure(ctx, t, newKey())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.Write(random(1000))
	return ending(conn.raw)
}

func muxerUnknown(ctx context.Context, t target) (string, error) {
	conn, err := secure(ctx, t, newKey())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.Write(token(header))
	for range 200 {
		if _, err := conn.Write(token("/mplex/6.7.0")); err != nil {
			break
		}
	}
	return ending(conn.raw)
}

// handshakeFlood makes whole connections of peers that nobody has seen before, and hangs up.
func handshakeFlood(ctx context.Context, t target) (string, error) {
	count := t.number(0, 200)
	for i := range count {
		conn, err := secure(ctx, t, newKey())
		if err != nil {
			return "", fmt.Errorf("at %d: %w", i, err)
		}
		if err := agree(conn, "/yamux/1.0.0"); err != nil {
			return "", fmt.Errorf("at %d: %w", i, err)
		}
		conn.Close()
	}
	return fmt.Sprintf("connections=%d", count), nil
}
