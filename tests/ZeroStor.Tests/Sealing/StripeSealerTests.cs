using System.Collections.Immutable;
using CsCheck;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class StripeSealerTests : IDisposable
{
    private const int Segment = Geometry.SegmentBytes;

    private static readonly SeededEntropy Entropy = new(61);
    private static readonly SealId Seal = SealId.New(Entropy);
    private static readonly Gen<int> Lengths = Gen.OneOf(
        Gen.Int[1, 3000],
        Gen.Int[1, 6 * Segment],
        Gen.Select(Gen.Int[1, 6], Gen.Int[-1, 1], (segments, off) => (segments * Segment) + off));

    private readonly ContentKey _key = new(
        VaultId.New(Entropy), ContentId.New(SealingRig.Now, Entropy), SealingRig.NewSecret(Entropy));

    [Fact]
    public void Any_content_opens_to_what_was_sealed_and_is_never_longer_than_without_compression() =>
        Gen.Select(Lengths, Gen.Int[0, 1 << 20], Gen.Enum<Compression>(), Gen.Int[1, 3]).Sample(
            (length, seed, compression, segmentsPerPart) =>
            {
                byte[] content = MixedContent.Of(seed, length);
                byte[] sealedBytes = SealedBytes(content, compression, segmentsPerPart);
                Assert.InRange(sealedBytes.Length, 1, Geometry.PlainSealedBytes(length));
                Assert.True(StripeOpener.IsSealedLength(length, sealedBytes.Length));
                Assert.True(content.AsSpan().SequenceEqual(Open(sealedBytes, length, 0, length)));
            },
            iter: 300);

    [Fact]
    public void Any_range_opens_from_the_index_and_its_own_segments_alone() =>
        Gen.Select(Lengths, Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 30], Gen.Int[0, 1 << 30]).Sample(
            (length, seed, offset, bytes) =>
            {
                offset %= length;
                bytes = 1 + (bytes % (length - offset));
                byte[] content = MixedContent.Of(seed, length);
                byte[] sealedBytes = SealedBytes(content, Compression.Auto);

                // All that is not asked for is lost.
                using StripeOpener opener = Opener(length, sealedBytes.Length);
                opener.ReadIndex([sealedBytes.AsMemory(0, opener.IndexBytes)]);
                SegmentRun run = opener.RunOf(offset, bytes);
                byte[] only = sealedBytes[run.SealedStart..(run.SealedStart + run.SealedLength)];
                byte[] opened = new byte[run.ContentLength];
                opener.Open(run, [only], opened);
                Assert.True(content.AsSpan(offset, bytes)
                    .SequenceEqual(opened.AsSpan(offset - run.ContentStart, bytes)));
            },
            iter: 300);

    [Theory]
    [InlineData(Compression.Off)]
    [InlineData(Compression.Auto)]
    public void What_does_not_compress_is_sealed_as_ever(Compression compression)
    {
        foreach (int length in (int[])[1, 100, Segment, Segment + 1, 5 * Segment, Geometry.MaxStripeBytes])
        {
            byte[] content = SealingRig.Bytes(Entropy, length);
            byte[] plain = new byte[Geometry.PlainSealedBytes(length)];
            using StripeCipher cipher = _key.ForStripe(Seal, 3);
            cipher.Seal(content, plain);
            Assert.True(plain.AsSpan().SequenceEqual(SealedBytes(content, compression)));
        }
    }

    [Fact]
    public void With_compression_off_text_is_sealed_as_ever()
    {
        byte[] content = MixedContent.Text(1, (2 * Segment) + 5);
        byte[] plain = new byte[Geometry.PlainSealedBytes(content.Length)];
        using StripeCipher cipher = _key.ForStripe(Seal, 3);
        cipher.Seal(content, plain);
        Assert.Equal(plain, SealedBytes(content, Compression.Off));
        Assert.True(SealedBytes(content, Compression.Auto).Length < plain.Length / 2);
    }

    [Fact]
    public void A_segment_that_compresses_is_compressed_whatever_its_neighbours_do()
    {
        byte[] content = SealingRig.Bytes(Entropy, 8 * Segment);
        MixedContent.Text(2, Segment).CopyTo(content, 5 * Segment);
        int saved = Geometry.PlainSealedBytes(content.Length) - SealedBytes(content, Compression.Auto).Length;
        Assert.InRange(saved, Segment / 2, Segment);
    }

    [Fact]
    public void Plain_and_compressed_stripes_under_one_seal_share_no_key_stream()
    {
        // Both are sealings of bytes that are stored as they are: what differs is the key alone.
        byte[] content = SealingRig.Bytes(Entropy, 2 * Segment);
        byte[] plain = SealedBytes(content, Compression.Off);
        byte[] mixed = [.. content, .. new byte[Segment]];
        byte[] compressed = SealedBytes(mixed, Compression.Auto);
        using StripeOpener opener = Opener(mixed.Length, compressed.Length);
        opener.ReadIndex([compressed.AsMemory(0, opener.IndexBytes)]);
        SegmentRun first = opener.RunOf(0, Segment);
        Assert.Equal(Segment + Geometry.SealTagBytes, first.SealedLength);
        Assert.False(compressed.AsSpan(first.SealedStart, 64).SequenceEqual(plain.AsSpan(0, 64)));
    }

    [Fact]
    public void Progress_tells_how_much_stands()
    {
        byte[] content = MixedContent.Of(4, 4 * Segment);
        byte[] whole = SealedBytes(content, Compression.Auto);
        byte[] target = new byte[Geometry.PlainSealedBytes(content.Length)];
        using var sealer = new StripeSealer(_key, Seal, 3, [content], Compression.Auto, target);
        Assert.Equal(whole.Length, sealer.SealedBytes);
        int last = 0;
        while (sealer.Next(out int sealedSoFar))
        {
            Assert.InRange(sealedSoFar, last + 1, whole.Length);
            Assert.True(target.AsSpan(0, sealedSoFar).SequenceEqual(whole.AsSpan(0, sealedSoFar)));
            last = sealedSoFar;
        }

        Assert.Equal(whole.Length, last);
    }

    [Fact]
    public void No_content_too_much_of_it_no_room_and_parts_of_parts_of_segments_are_refused()
    {
        byte[] room = new byte[Geometry.PlainSealedBytes(Geometry.MaxStripeBytes)];
        Refused([], room);
        Refused([Array.Empty<byte>()], room);
        Refused([new byte[Geometry.MaxStripeBytes + 1]], new byte[room.Length + 100]);
        Refused([new byte[100]], new byte[115]);
        Refused([new byte[100], new byte[100]], room);

        void Refused(ImmutableArray<ReadOnlyMemory<byte>> parts, byte[] target) => SealingRig.AssertRefused(
            ErrorKind.InvalidArgument,
            () => new StripeSealer(_key, Seal, 3, parts, Compression.Auto, target).Dispose());
    }

    [Fact]
    public void Segments_that_compress_cost_next_to_nothing_on_the_heap()
    {
        byte[] content = MixedContent.Text(3, Geometry.MaxStripeBytes);
        byte[] target = new byte[Geometry.PlainSealedBytes(content.Length)];
        byte[] opened = new byte[content.Length];
        int sealedBytes = SealInto(content, target);
        OpenInto(target, sealedBytes, opened);
        long before = GC.GetAllocatedBytesForCurrentThread();
        SealInto(content, target);
        OpenInto(target, sealedBytes, opened);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 8192);
        Assert.True(content.AsSpan().SequenceEqual(opened));
    }

    public void Dispose() => _key.Dispose();

    private byte[] SealedBytes(byte[] content, Compression compression, int segmentsPerPart = 4)
    {
        byte[] target = new byte[Geometry.PlainSealedBytes(content.Length)];
        ImmutableArray<ReadOnlyMemory<byte>> parts =
            [.. content.Chunk(segmentsPerPart * Segment).Select(c => (ReadOnlyMemory<byte>)c)];
        using var sealer = new StripeSealer(_key, Seal, 3, parts, compression, target);
        while (sealer.Next(out _))
        {
        }

        return target[..sealer.SealedBytes];
    }

    private byte[] Open(byte[] sealedBytes, int length, int offset, int bytes)
    {
        using StripeOpener opener = Opener(length, sealedBytes.Length);
        opener.ReadIndex([sealedBytes]);
        SegmentRun run = opener.RunOf(offset, bytes);
        byte[] opened = new byte[run.ContentLength];
        opener.Open(run, [sealedBytes.AsMemory(run.SealedStart, run.SealedLength)], opened);
        return opened[(offset - run.ContentStart)..(offset - run.ContentStart + bytes)];
    }

    private int SealInto(byte[] content, byte[] target)
    {
        using var sealer = new StripeSealer(_key, Seal, 3, [content], Compression.Auto, target);
        while (sealer.Next(out _))
        {
        }

        return sealer.SealedBytes;
    }

    private void OpenInto(byte[] sealedBytes, int length, byte[] content)
    {
        using StripeOpener opener = Opener(content.Length, length);
        opener.ReadIndex([sealedBytes]);
        SegmentRun run = opener.RunOf(0, content.Length);
        opener.Open(run, [sealedBytes.AsMemory(run.SealedStart, run.SealedLength)], content);
    }

    private StripeOpener Opener(int contentBytes, int sealedBytes) =>
        new(_key, new StripeRef(default, default, Seal, contentBytes, sealedBytes, default), 3);
}
