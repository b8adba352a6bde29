"""The coders of the codecs ``entropy`` and ``rows``, as SPEC.md of @prune/sparse-codec says them."""
