"""Charts: a frame goes in, an Altair chart comes out; the page and the digest show the same picture."""
