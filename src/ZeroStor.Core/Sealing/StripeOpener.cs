using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>Opens ranges of one stripe, of whichever format: a stripe of fewer sealed bytes than its content
/// comes to in format 1 is compressed (<see cref="CompressedStripeCipher"/>). Where the segments of a
/// compressed stripe lie is told by its index, so for a range of it the index is read first; of a whole
/// stripe both come together. The same in a silo and in the SDK. For one thread at a time.</summary>
public sealed class StripeOpener : IDisposable
{
    private readonly ContentId _content;
    private readonly int _ordinal;
    private readonly int _contentBytes;
    private readonly int _sealedBytes;
    private readonly StripeCipher? _plain;
    private readonly CompressedStripeCipher? _cipher;
    private SegmentIndex? _index;

    /// <param name="key">The content's key.</param>
    /// <param name="stripe">What is said of the stripe. Where its lengths are not those that were sealed,
    /// nothing opens.</param>
    /// <param name="ordinal">Which stripe of the content.</param>
    /// <exception cref="ZeroStorException">Corrupt: no content of that length is sealed to so many bytes.
    /// </exception>
    public StripeOpener(ContentKey key, StripeRef stripe, int ordinal)
    {
        ArgumentNullException.ThrowIfNull(key);
        (_content, _ordinal) = (key.Content, ordinal);
        (_contentBytes, _sealedBytes) = (stripe.ContentBytes, stripe.SealedBytes);
        if (!IsSealedLength(_contentBytes, _sealedBytes))
        {
            throw ZeroStorException.Corrupt(
                $"Stripe {ordinal} of content {_content} is said to be {_contentBytes} bytes in {_sealedBytes} sealed "
                + "ones, and no sealing gives that: its description is damaged.");
        }

        if (_sealedBytes == Geometry.PlainSealedBytes(_contentBytes))
        {
            _plain = key.ForStripe(stripe.Seal, ordinal);
            return;
        }

        _cipher = key.ForCompressedStripe(stripe.Seal, ordinal, stripe.ContentBytes);
        IndexBytes = SegmentIndex.SealedBytesOf(_contentBytes);
        if (IndexBytes == 0)
        {
            _index = new SegmentIndex(_contentBytes) { [0] = _sealedBytes - Geometry.SealTagBytes };
        }
    }

    /// <summary>Sealed bytes of the index, which stands before the segments; 0: there is none.</summary>
    public int IndexBytes { get; }

    /// <summary>Whether it is known where the segments lie: always where there is no index, else when it was
    /// read. </summary>
    public bool KnowsSegments => _plain is not null || _index is not null;

    /// <summary>Whether content of so many bytes may have been sealed to so many.</summary>
    public static bool IsSealedLength(int contentBytes, int sealedBytes)
    {
        if (contentBytes is < 1 or > Geometry.MaxStripeBytes)
        {
            return false;
        }

        int least = SegmentIndex.SealedBytesOf(contentBytes)
            + (Geometry.SegmentCount(contentBytes) * (Geometry.SealTagBytes + 1));
        int plain = Geometry.PlainSealedBytes(contentBytes);
        return sealedBytes == plain || (sealedBytes >= least && sealedBytes < plain);
    }

    /// <summary>Reads the index from the stripe's first <see cref="IndexBytes"/>; nothing to do where there
    /// is none. </summary>
    /// <exception cref="ZeroStorException">Corrupt: it is not what was sealed.</exception>
    public void ReadIndex(ReadOnlySpan<ReadOnlyMemory<byte>> sealedParts)
    {
        if (IndexBytes == 0)
        {
            return;
        }

        var source = new SealedParts(sealedParts);
        try
        {
            Span<byte> written = stackalloc byte[SegmentIndex.BytesOf(_contentBytes)];
            _cipher!.OpenIndex(source.Next(IndexBytes), written);
            var index = new SegmentIndex(_contentBytes);
            _index = index.TryRead(written, _sealedBytes) ? index : throw DoesNotOpen("its index", null);
        }
        catch (AuthenticationTagMismatchException mismatch)
        {
            throw DoesNotOpen("its index", mismatch);
        }
        finally
        {
            source.Dispose();
        }
    }

    /// <summary>The segments that a range of the stripe's content touches; the index was read
    /// before.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: the range is empty or not within the stripe.
    /// </exception>
    public SegmentRun RunOf(int offset, int length)
    {
        SegmentRun run = StripeCipher.RunOf(_contentBytes, offset, length);
        if (_plain is not null)
        {
            return run;
        }

        int start = Index.StartOf(run.FirstSegment);
        return run with
        {
            SealedStart = start, SealedLength = Index.StartOf(run.FirstSegment + run.Segments) - start,
        };
    }

    /// <summary>Opens a run. Every byte it leaves in <paramref name="content"/> was verified: whatever is
    /// thrown, the target is zeroed.</summary>
    /// <param name="run">What <see cref="RunOf"/> said.</param>
    /// <param name="sealedParts">Its sealed bytes, in parts, one behind the other; none overlaps the
    /// target.</param>
    /// <param name="content">The target, exactly as long as the content of the run.</param>
    /// <exception cref="ZeroStorException">Corrupt: a segment does not verify; InvalidArgument: lengths that
    /// are not the run's.</exception>
    public void Open(SegmentRun run, ReadOnlySpan<ReadOnlyMemory<byte>> sealedParts, Span<byte> content)
    {
        if (_plain is not null)
        {
            _plain.Open(_contentBytes, run.FirstSegment, sealedParts, content);
            return;
        }

        var source = new SealedParts(sealedParts);
        int segment = run.FirstSegment;
        bool isOpen = false;
        SharedBuffer scratch = BufferPool.Shared.Rent(Geometry.SegmentBytes);
        try
        {
            if (source.Length != run.SealedLength || content.Length != run.ContentLength)
            {
                throw ZeroStorException.Invalid(
                    $"{source.Length} sealed bytes and {content.Length} of content are not of the segments asked "
                    + $"for, which are {run.SealedLength} and {run.ContentLength}.");
            }

            for (Span<byte> rest = content; !rest.IsEmpty; segment++)
            {
                int bytes = Index.ContentOf(segment);
                OpenSegment(segment, ref source, rest[..bytes], scratch.Span);
                rest = rest[bytes..];
            }

            isOpen = true;
        }
        catch (AuthenticationTagMismatchException mismatch)
        {
            throw DoesNotOpen($"segment {segment}", mismatch);
        }
        finally
        {
            source.Dispose();
            scratch.Release();
            if (!isOpen)
            {
                content.Clear();
            }
        }
    }

    public void Dispose()
    {
        _plain?.Dispose();
        _cipher?.Dispose();
    }

    public override string ToString() => $"opener of stripe {_ordinal} of content {_content}";

    private SegmentIndex Index => _index
        ?? throw new InvalidOperationException("The index of the stripe was not read.");

    private void OpenSegment(int segment, ref SealedParts source, Span<byte> content, Span<byte> scratch)
    {
        int stored = Index[segment];
        ReadOnlySpan<byte> sealedSegment = source.Next(stored + Geometry.SealTagBytes);
        if (!Index.IsCompressed(segment))
        {
            _cipher!.Open(segment, sealedSegment, content);
            return;
        }

        _cipher!.Open(segment, sealedSegment, scratch[..stored]);
        if (!SegmentCompressor.TryExpand(scratch[..stored], content))
        {
            throw ZeroStorException.Corrupt(
                $"Stripe {_ordinal} of content {_content} opens at segment {segment}, and what was sealed there "
                + "expands to something else than its content: whoever sealed it made a mistake, and no other shards "
                + "help.");
        }
    }

    private ZeroStorException DoesNotOpen(string where, Exception? why) => ZeroStorException.Corrupt(
        $"Stripe {_ordinal} of content {_content} does not open at {where}: these are not the bytes that were "
        + "sealed, so read it from other shards.", why);
}
