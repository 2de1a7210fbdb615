package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Tiles of C2SP are those of the checksum database at height 8.
const tileHeight = 8

// claims is what both sides assert about a log beyond its files; bytes are base64.
type claims struct {
	VerifierKey   string        `json:"verifierKey"`
	SignerKey     string        `json:"signerKey"`
	Inclusions    []inclusion   `json:"inclusions"`
	Consistencies []consistency `json:"consistencies"`
}

type inclusion struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Leaf  []byte   `json:"leaf"`
	Root  []byte   `json:"root"`
	Proof [][]byte `json:"proof"`
}

type consistency struct {
	OldSize int64    `json:"oldSize"`
	OldRoot []byte   `json:"oldRoot"`
	NewSize int64    `json:"newSize"`
	NewRoot []byte   `json:"newRoot"`
	Proof   [][]byte `json:"proof"`
}

func readClaims(directory string) (claims, error) {
	var read claims
	text, err := os.ReadFile(filepath.Join(directory, "claims.json"))
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	return read, err
}

// tilePath turns tile/8/0/x001/234 into tile/0/x001/234: C2SP does not name the height.
func tilePath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

// bundlePath of a tile of level 0: tile/8/data/000 is C2SP's tile/entries/000.
func bundlePath(tile tlog.Tile) string {
	tile.L = -1
	return strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
}

// storedHashes is the whole tree in memory, in the order of tlog.StoredHashIndex.
type storedHashes []tlog.Hash

func (stored storedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(stored)) {
			return nil, fmt.Errorf("hash %d is not in the tree", index)
		}
		hashes[i] = stored[index]
	}
	return hashes, nil
}

func (stored storedHashes) append(index int64, entry []byte) (storedHashes, error) {
	hashes, err := tlog.StoredHashes(index, entry, stored)
	return append(stored, hashes...), err
}

// tileFiles is a tlog.TileReader of a published directory.
type tileFiles string

func (files tileFiles) Height() int                     { return tileHeight }
func (files tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (files tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	contents := make([][]byte, len(tiles))
	for i, tile := range tiles {
		content, err := files.readTile(tile)
		if err != nil {
			return nil, err
		}
		contents[i] = content
	}
	return contents, nil
}

// readTile falls back to the full tile, as C2SP lets a log remove partial ones.
func (files tileFiles) readTile(tile tlog.Tile) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(string(files), tilePath(tile)))
	if errors.Is(err, fs.ErrNotExist) && tile.W < 1<<tileHeight {
		full := tile
		full.W = 1 << tileHeight
		content, err = os.ReadFile(filepath.Join(string(files), tilePath(full)))
		if err == nil && len(content) == 1<<tileHeight*tlog.HashSize {
			content = content[:tile.W*tlog.HashSize]
		}
	}
	return content, err
}

func (files tileFiles) readBundle(tile tlog.Tile) ([][]byte, error) {
	packed, err := os.Open(filepath.Join(string(files), bundlePath(tile)+".gz"))
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	return splitBundle(content, tile.W)
}

func splitBundle(content []byte, count int) ([][]byte, error) {
	var entries [][]byte
	for len(content) > 0 {
		if len(content) < 2 || len(content) < 2+int(binary.BigEndian.Uint16(content)) {
			return nil, errors.New("a bundle ends within an entry")
		}
		end := 2 + int(binary.BigEndian.Uint16(content))
		entries = append(entries, content[2:end])
		content = content[end:]
	}
	if len(entries) != count {
		return nil, fmt.Errorf("a bundle of %d holds %d entries", count, len(entries))
	}
	return entries, nil
}

func joinBundle(entries [][]byte) []byte {
	var content bytes.Buffer
	for _, entry := range entries {
		_ = binary.Write(&content, binary.BigEndian, uint16(len(entry)))
		content.Write(entry)
	}
	return content.Bytes()
}

func hashOf(content []byte) (hash tlog.Hash) {
	copy(hash[:], content)
	return hash
}

func hashesOf(contents [][]byte) []tlog.Hash {
	hashes := make([]tlog.Hash, len(contents))
	for i, content := range contents {
		hashes[i] = hashOf(content)
	}
	return hashes
}

func bytesOf(hashes []tlog.Hash) [][]byte {
	contents := make([][]byte, len(hashes))
	for i := range hashes {
		contents[i] = hashes[i][:]
	}
	return contents
}
