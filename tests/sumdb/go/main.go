// Command sumdb checks notes, tree heads and proofs with golang.org/x/mod/sumdb, and answers with its own.
//
// It reads a JSON object from standard input and writes one to standard output; a fault goes to standard error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type inclusion struct {
	Size  int64
	Index int64
	Proof [][]byte
}

type consistency struct {
	Old   int64
	Size  int64
	Proof [][]byte
}

type given struct {
	Leaves       [][]byte // data of each leaf
	Roots        [][]byte // by size, from 0
	Inclusions   []inclusion
	Consistences []consistency
	Vkey         string
	Notes        []string // signed by Vkey
	Forged       []string // notes that must not open
	Seed         []byte   // of the Go signer: anything
	Name         string
	Text         string // to be signed
}

type answer struct {
	Roots        [][]byte
	Inclusions   []inclusion
	Consistences []consistency
	Vkey         string
	Note         string
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = h[index]
	}
	return found, nil
}

func main() {
	var asked given
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fail("cannot read: %v", err)
	}
	stored, roots := grow(asked.Leaves)
	for size, root := range asked.Roots {
		if string(root) != string(roots[size][:]) {
			fail("size %d has root %x here, and %x there", size, roots[size], root)
		}
	}
	checkProofs(asked, roots)
	checkNotes(asked)
	json.NewEncoder(os.Stdout).Encode(own(asked, stored, roots))
}

func grow(leaves [][]byte) (hashes, []tlog.Hash) {
	var stored hashes
	roots := []tlog.Hash{must(tlog.TreeHash(0, stored))}
	for index, data := range leaves {
		stored = append(stored, must(tlog.StoredHashes(int64(index), data, stored))...)
		roots = append(roots, must(tlog.TreeHash(int64(index+1), stored)))
	}
	return stored, roots
}

func checkProofs(asked given, roots []tlog.Hash) {
	for _, each := range asked.Inclusions {
		leaf := tlog.RecordHash(asked.Leaves[each.Index])
		if err := tlog.CheckRecord(proof(each.Proof), each.Size, roots[each.Size], each.Index, leaf); err != nil {
			fail("leaf %d of %d: %v", each.Index, each.Size, err)
		}
	}
	for _, each := range asked.Consistences {
		if err := tlog.CheckTree(proof(each.Proof), each.Size, roots[each.Size], each.Old, roots[each.Old]); err != nil {
			fail("%d extends %d: %v", each.Size, each.Old, err)
		}
	}
}

func checkNotes(asked given) {
	verifier := must(note.NewVerifier(asked.Vkey))
	for _, text := range asked.Notes {
		opened := must(note.Open([]byte(text), note.VerifierList(verifier)))
		if len(opened.Sigs) != 1 || opened.Sigs[0].Name != verifier.Name() {
			fail("a note has other signatures: %v", opened.Sigs)
		}
	}
	for _, text := range asked.Forged {
		if _, err := note.Open([]byte(text), note.VerifierList(verifier)); err == nil {
			fail("a forged note opens: %q", text)
		}
	}
}

func own(asked given, stored hashes, roots []tlog.Hash) answer {
	skey, vkey, err := note.GenerateKey(strings.NewReader(string(asked.Seed)), asked.Name)
	if err != nil {
		fail("no key: %v", err)
	}
	signer := must(note.NewSigner(skey))
	told := answer{Vkey: vkey, Note: string(must(note.Sign(&note.Note{Text: asked.Text}, signer)))}
	for _, root := range roots {
		told.Roots = append(told.Roots, root[:])
	}
	for _, each := range asked.Inclusions {
		found := must(tlog.ProveRecord(each.Size, each.Index, stored))
		told.Inclusions = append(told.Inclusions, inclusion{each.Size, each.Index, bare(found)})
	}
	for _, each := range asked.Consistences {
		found := must(tlog.ProveTree(each.Size, each.Old, stored))
		told.Consistences = append(told.Consistences, consistency{each.Old, each.Size, bare(found)})
	}
	return told
}

func proof(nodes [][]byte) []tlog.Hash {
	found := make([]tlog.Hash, len(nodes))
	for i, node := range nodes {
		copy(found[i][:], node)
	}
	return found
}

func bare[P ~[]tlog.Hash](nodes P) [][]byte {
	found := make([][]byte, len(nodes))
	for i := range nodes {
		found[i] = nodes[i][:]
	}
	return found
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

func fail(format string, words ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", words...)
	os.Exit(1)
}
