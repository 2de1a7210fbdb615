package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const origin = "go.example.com/log"

// write makes a log that grew through the given sizes, ascending, and claims proofs between them.
func write(directory string, arguments []string) error {
	sizes := make([]int64, len(arguments))
	for i, argument := range arguments {
		size, err := strconv.ParseInt(argument, 10, 64)
		if err != nil {
			return err
		}
		sizes[i] = size
	}
	signerKey, verifierKey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	written := claims{VerifierKey: verifierKey, SignerKey: signerKey}
	var stored storedHashes
	var entries [][]byte
	oldSize := int64(0)
	for _, size := range sizes {
		for index := oldSize; index < size; index++ {
			entry := entryOf(index)
			entries = append(entries, entry)
			if stored, err = stored.append(index, entry); err != nil {
				return err
			}
		}
		if err := writeTiles(directory, oldSize, size, stored, entries); err != nil {
			return err
		}
		if err := claim(&written, sizes, size, stored); err != nil {
			return err
		}
		oldSize = size
	}
	if err := writeCheckpoint(directory, signerKey, oldSize, stored); err != nil {
		return err
	}
	text, err := json.Marshal(written)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "claims.json"), text, 0o600)
}

// entryOf gives texts of different lengths, the empty one and the longest among them.
func entryOf(index int64) []byte {
	switch index {
	case 3:
		return nil
	case 4:
		return bytes.Repeat([]byte{0xff}, 65_535)
	}
	return fmt.Appendf(nil, `{"index":%d,"text":"%x"}`, index, index*index)
}

func writeTiles(directory string, oldSize, size int64, stored storedHashes, entries [][]byte) error {
	for _, tile := range tlog.NewTiles(tileHeight, oldSize, size) {
		content, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return err
		}
		if err := writeFile(directory, tilePath(tile), content); err != nil {
			return err
		}
		if tile.L > 0 {
			continue
		}
		from := tile.N << tileHeight
		bundle := joinBundle(entries[from : from+int64(tile.W)])
		if err := writeFile(directory, bundlePath(tile), bundle); err != nil {
			return err
		}
	}
	return nil
}

func claim(written *claims, sizes []int64, size int64, stored storedHashes) error {
	root, err := tlog.TreeHash(size, stored)
	if err != nil {
		return err
	}
	for _, index := range []int64{0, size / 3, size / 2, size - 1} {
		proof, err := tlog.ProveRecord(size, index, stored)
		if err != nil {
			return err
		}
		leaf := stored[tlog.StoredHashIndex(0, index)]
		written.Inclusions = append(written.Inclusions,
			inclusion{index, size, leaf[:], root[:], bytesOf(proof)})
	}
	for _, oldSize := range sizes {
		if oldSize > size {
			break
		}
		oldRoot, err := tlog.TreeHash(oldSize, stored)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(size, oldSize, stored)
		if err != nil {
			return err
		}
		written.Consistencies = append(written.Consistencies,
			consistency{oldSize, oldRoot[:], size, root[:], bytesOf(proof)})
	}
	return nil
}

func writeCheckpoint(directory, signerKey string, size int64, stored storedHashes) error {
	signer, err := note.NewSigner(signerKey)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(size, stored)
	if err != nil {
		return err
	}
	encoded := base64.StdEncoding.EncodeToString(root[:])
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, encoded)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return err
	}
	return writeFile(directory, "checkpoint", signed)
}

func writeFile(directory, path string, content []byte) error {
	file := filepath.Join(directory, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o600)
}
