package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func read(directory string) error {
	claimed, err := readClaims(directory)
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(directory, claimed)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	stored, err := readEntries(directory, tree)
	if err != nil {
		return fmt.Errorf("bundles: %w", err)
	}
	if err := compareTiles(directory, tree, stored); err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	if err := checkInclusions(claimed, stored); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	return checkConsistencies(claimed, stored)
}

// openCheckpoint also signs the text with the signer key again: Ed25519 gives the same signature.
func openCheckpoint(directory string, claimed claims) (tlog.Tree, error) {
	var tree tlog.Tree
	text, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(claimed.VerifierKey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	passed("note.Open accepts our checkpoint, %d signature(s) of unknown keys passed over",
		len(opened.UnverifiedSigs))
	forged := bytes.Replace(text, []byte("\n"), []byte("x\n"), 1)
	if _, err := note.Open(forged, note.VerifierList(verifier)); err == nil {
		return tree, errors.New("a changed origin was accepted")
	}
	signer, err := note.NewSigner(claimed.SignerKey)
	if err != nil {
		return tree, err
	}
	signed, err := note.Sign(&note.Note{Text: opened.Text}, signer)
	if err != nil {
		return tree, err
	}
	if !bytes.HasPrefix(text, signed) {
		return tree, errors.New("note.Sign with our signer key makes another note")
	}
	passed("note.Sign with our signer key makes the same note")
	return parseTree(opened.Text, verifier.Name())
}

func parseTree(text string, origin string) (tlog.Tree, error) {
	// tlog knows one origin, that of the checksum database; the lines behind it are the same.
	rest, isOurs := strings.CutPrefix(text, origin+"\n")
	if !isOurs {
		return tlog.Tree{}, errors.New("the first line is not the key's name")
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	if err == nil {
		passed("tlog.ParseTree reads size %d", tree.N)
	}
	return tree, err
}

func levelZero(size int64) []tlog.Tile {
	return slices.DeleteFunc(tlog.NewTiles(tileHeight, 0, size), func(tile tlog.Tile) bool {
		return tile.L != 0
	})
}

// readEntries recomputes the tree from the entries alone.
func readEntries(directory string, tree tlog.Tree) (storedHashes, error) {
	var stored storedHashes
	index := int64(0)
	for _, tile := range levelZero(tree.N) {
		entries, err := tileFiles(directory).readBundle(tile)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if stored, err = stored.append(index, entry); err != nil {
				return nil, err
			}
			index++
		}
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil {
		return nil, err
	}
	if root != tree.Hash {
		return nil, fmt.Errorf("the entries have the root %s, not %s", root, tree.Hash)
	}
	passed("tlog.TreeHash of %d entries from our bundles is the signed root", index)
	return stored, nil
}

func compareTiles(directory string, tree tlog.Tree, stored storedHashes) error {
	files := tileFiles(directory)
	tiles := tlog.NewTiles(tileHeight, 0, tree.N)
	for _, tile := range tiles {
		expected, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return err
		}
		actual, err := os.ReadFile(filepath.Join(directory, tilePath(tile)))
		if err != nil {
			return err
		}
		if !bytes.Equal(actual, expected) {
			return fmt.Errorf("%s differs", tilePath(tile))
		}
	}
	passed("all %d tiles are those of tlog.NewTiles, byte by byte", len(tiles))
	// The reader of tlog authenticates each tile against the root before it believes a hash.
	hashes := tlog.TileHashReader(tree, files)
	for index := int64(0); index < tree.N; index += 1 + tree.N/500 {
		place := tlog.StoredHashIndex(0, index)
		found, err := hashes.ReadHashes([]int64{place})
		if err != nil {
			return err
		}
		if found[0] != stored[place] {
			return fmt.Errorf("leaf %d differs", index)
		}
	}
	passed("tlog.TileHashReader authenticates leaves through our tiles")
	return nil
}

func checkInclusions(claimed claims, stored storedHashes) error {
	for _, claim := range claimed.Inclusions {
		proof := tlog.RecordProof(hashesOf(claim.Proof))
		root, leaf := hashOf(claim.Root), hashOf(claim.Leaf)
		if err := tlog.CheckRecord(proof, claim.Size, root, claim.Index, leaf); err != nil {
			return fmt.Errorf("%d in %d: %w", claim.Index, claim.Size, err)
		}
		own, err := tlog.ProveRecord(claim.Size, claim.Index, stored)
		if err != nil {
			return err
		}
		if !slices.Equal(own, proof) {
			return fmt.Errorf("%d in %d: tlog proves it otherwise", claim.Index, claim.Size)
		}
	}
	passed("tlog.CheckRecord holds, and tlog.ProveRecord agrees, for %d inclusion proofs",
		len(claimed.Inclusions))
	return nil
}

func checkConsistencies(claimed claims, stored storedHashes) error {
	for _, claim := range claimed.Consistencies {
		proof := tlog.TreeProof(hashesOf(claim.Proof))
		oldRoot, newRoot := hashOf(claim.OldRoot), hashOf(claim.NewRoot)
		if err := tlog.CheckTree(proof, claim.NewSize, newRoot, claim.OldSize, oldRoot); err != nil {
			return fmt.Errorf("consistency %d to %d: %w", claim.OldSize, claim.NewSize, err)
		}
		own, err := tlog.ProveTree(claim.NewSize, claim.OldSize, stored)
		if err != nil {
			return err
		}
		if !slices.Equal(own, proof) {
			return fmt.Errorf("consistency %d to %d: tlog proves it otherwise", claim.OldSize, claim.NewSize)
		}
	}
	passed("tlog.CheckTree holds, and tlog.ProveTree agrees, for %d consistency proofs",
		len(claimed.Consistencies))
	return nil
}
