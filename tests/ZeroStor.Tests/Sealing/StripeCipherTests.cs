using CsCheck;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class StripeCipherTests
{
    private const int Segment = Geometry.SegmentBytes;
    private const int SealedSegment = StripeCipher.SealedSegmentBytes;

    // All boundaries of segments, and the longest stripe.
    private static readonly int[] Lengths =
    [
        1, 15, 16, 17, 100, Segment - 1, Segment, Segment + 1, (2 * Segment) - 1, 2 * Segment,
        (2 * Segment) + 1, (5 * Segment) + 77, Geometry.MaxStripeBytes - 1, Geometry.MaxStripeBytes,
    ];

    private static readonly SeededEntropy Entropy = new(16);
    private static readonly SealId Seal = SealId.New(Entropy);

    private readonly VaultId _vault = VaultId.New(Entropy);
    private readonly ContentId _content = ContentId.New(SealingRig.Now, Entropy);
    private readonly byte[] _key = SealingRig.Bytes(Entropy, Secret.KeyBytes);
    private readonly StripeCipher _cipher;

    public StripeCipherTests() => _cipher = Cipher(_vault, _content, ordinal: 3);

    public static TheoryData<int> AllLengths => new(Lengths);

    [Theory]
    [MemberData(nameof(AllLengths))]
    public void A_stripe_opens_to_what_was_sealed(int length)
    {
        byte[] content = SealingRig.Bytes(Entropy, length);
        byte[] sealedBytes = SealStripe(_cipher, content);
        byte[] opened = new byte[length];
        _cipher.Open(length, 0, sealedBytes, opened);
        Assert.Equal(content, opened);
    }

    [Fact]
    public void Any_range_opens_equal_from_its_segments_alone()
    {
        var stripes = Lengths.ToDictionary(length => length, length => SealingRig.Bytes(Entropy, length));
        var sealings = stripes.ToDictionary(s => s.Key, s => SealStripe(_cipher, s.Value));
        Gen<(int, int, int)> ranges =
            from length in Gen.Int[0, Lengths.Length - 1].Select(i => Lengths[i])
            from offset in Gen.Int[0, length - 1]
            from bytes in Gen.Int[1, length - offset]
            select (length, offset, bytes);

        // One at a time: a cipher is for one thread.
        ranges.Sample(
            range =>
            {
                (int length, int offset, int bytes) = range;
                SegmentRun run = StripeCipher.RunOf(length, offset, bytes);
                Assert.True(run.ContentStart <= offset);
                Assert.True(run.ContentStart + run.ContentLength >= offset + bytes);
                Assert.True(run.ContentLength < bytes + (2 * Segment));
                byte[] opened = new byte[run.ContentLength];
                Span<byte> sealedRun = sealings[length].AsSpan(run.SealedStart, run.SealedLength);
                _cipher.Open(length, run.FirstSegment, sealedRun, opened);
                Assert.True(stripes[length].AsSpan(offset, bytes)
                    .SequenceEqual(opened.AsSpan(offset - run.ContentStart, bytes)));
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public void Parts_of_any_lengths_open_as_the_whole_and_a_flip_in_any_is_refused() =>
        Gen.Select(Gen.Int[1, 4 * Segment], Gen.Int[1, 2 * Segment].Array[0, 6], Gen.Int[0, 1 << 30]).Sample(
            (length, cuts, flip) =>
            {
                byte[] content = SealingRig.Bytes(Entropy, length);
                byte[] sealedBytes = SealStripe(_cipher, content);
                ReadOnlyMemory<byte>[] parts = Cut(sealedBytes, cuts);
                byte[] opened = new byte[length];
                _cipher.Open(length, 0, parts, opened);
                Assert.True(content.AsSpan().SequenceEqual(opened));

                // The parts are slices of these bytes.
                sealedBytes[flip % sealedBytes.Length] ^= 1;
                SealingRig.AssertRefused(ErrorKind.Corrupt, () => _cipher.Open(length, 0, parts, opened));
                Assert.False(opened.AsSpan().ContainsAnyExcept((byte)0));
                SealingRig.AssertRefused(
                    ErrorKind.InvalidArgument, () => _cipher.Open(length, 0, parts.AsSpan(1), opened));
            },
            iter: 100,
            threads: 1);

    [Theory]
    [InlineData(10, 0, 10, 0, 1, 0, 26, 0, 10)]
    [InlineData(65_537, 65_535, 2, 0, 2, 0, 65_569, 0, 65_537)]
    [InlineData(65_537, 65_536, 1, 1, 1, 65_552, 17, 65_536, 1)]
    [InlineData(200_000, 65_536, 65_536, 1, 1, 65_552, 65_552, 65_536, 65_536)]
    [InlineData(200_000, 131_071, 2, 1, 2, 65_552, 131_104, 65_536, 131_072)]
    public void Runs_are_what_the_arithmetic_says(
        int length, int offset, int bytes, int first, int count, int sealedStart, int sealedLength,
        int contentStart, int contentLength) => Assert.Equal(
            new SegmentRun(first, count, sealedStart, sealedLength, contentStart, contentLength),
            StripeCipher.RunOf(length, offset, bytes));

    [Theory]
    [InlineData(10, 0, 0)]
    [InlineData(10, 0, 11)]
    [InlineData(10, 10, 1)]
    [InlineData(10, -1, 2)]
    [InlineData(10, 5, int.MaxValue)]
    [InlineData(10, int.MaxValue, int.MaxValue)]
    [InlineData(0, 0, 1)]
    [InlineData(-5, 0, 1)]
    [InlineData(Geometry.MaxStripeBytes + 1, 0, 1)]
    public void Ranges_outside_of_a_stripe_are_refused(int length, int offset, int bytes) =>
        SealingRig.AssertRefused(
            ErrorKind.InvalidArgument, () => StripeCipher.RunOf(length, offset, bytes));

    [Fact]
    public void Every_flipped_bit_of_a_small_stripe_is_refused() => SealingRig.ForEachFlippedBit(
        SealStripe(_cipher, SealingRig.Bytes(Entropy, 70)),
        (flipped, _) => AssertRefused(_cipher, 70, 0, flipped));

    [Fact]
    public void Every_flipped_bit_of_both_tags_and_of_the_last_segment_of_a_longer_stripe_is_refused()
    {
        byte[] sealedBytes = SealStripe(_cipher, SealingRig.Bytes(Entropy, Segment + 20));
        for (int bit = Segment * 8; bit < sealedBytes.Length * 8; bit++)
        {
            sealedBytes[bit / 8] ^= (byte)(1 << (bit % 8));
            AssertRefused(_cipher, Segment + 20, 0, sealedBytes);
            sealedBytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        _cipher.Open(Segment + 20, 0, sealedBytes, new byte[Segment + 20]);
    }

    [Fact]
    public void Any_changed_byte_of_a_long_stripe_is_refused()
    {
        int length = (3 * Segment) + 5;
        byte[] sealedBytes = SealStripe(_cipher, SealingRig.Bytes(Entropy, length));
        Gen.Select(Gen.Int[0, sealedBytes.Length - 1], Gen.Byte[1, 255]).Sample(
            (at, change) =>
            {
                sealedBytes[at] ^= change;
                AssertRefused(_cipher, length, 0, sealedBytes);
                sealedBytes[at] ^= change;
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public void Every_truncation_and_extension_is_refused()
    {
        byte[] sealedBytes = SealStripe(_cipher, SealingRig.Bytes(Entropy, 70));
        for (int length = 0; length < sealedBytes.Length; length++)
        {
            AssertRefused(_cipher, 70, 0, sealedBytes[..length]);
        }

        AssertRefused(_cipher, 70, 0, [.. sealedBytes, 0]);
        AssertRefused(_cipher, 70, 0, [.. sealedBytes, .. sealedBytes]);
    }

    [Fact]
    public void A_stripe_cut_short_that_claims_to_be_shorter_is_refused()
    {
        byte[] sealedBytes = SealStripe(_cipher, SealingRig.Bytes(Entropy, (2 * Segment) + 9));

        // The first two segments are as sealed and open as a part, never as the whole.
        byte[] two = sealedBytes[..(2 * SealedSegment)];
        _cipher.Open((2 * Segment) + 9, 0, two, new byte[2 * Segment]);
        AssertRefused(_cipher, 2 * Segment, 0, two);
        AssertRefused(_cipher, 2 * Segment, 1, two[SealedSegment..]);
        AssertRefused(_cipher, Segment, 0, two[..SealedSegment]);
    }

    [Fact]
    public void A_stripe_that_claims_to_be_longer_is_refused()
    {
        byte[] sealedBytes = SealStripe(_cipher, SealingRig.Bytes(Entropy, Segment));
        AssertRefused(_cipher, Segment + 1, 0, sealedBytes);
        AssertRefused(_cipher, 2 * Segment, 0, sealedBytes);
        AssertRefused(_cipher, 2 * Segment, 0, [.. sealedBytes, .. sealedBytes]);
    }

    [Fact]
    public void Segments_that_are_swapped_repeated_or_elsewhere_are_refused()
    {
        int length = 3 * Segment;
        byte[] sealedBytes = SealStripe(_cipher, SealingRig.Bytes(Entropy, length));
        byte[] first = sealedBytes[..SealedSegment];
        byte[] second = sealedBytes[SealedSegment..(2 * SealedSegment)];
        byte[] third = sealedBytes[(2 * SealedSegment)..];
        AssertRefused(_cipher, length, 0, [.. second, .. first, .. third]);
        AssertRefused(_cipher, length, 0, [.. first, .. third, .. second]);
        AssertRefused(_cipher, length, 0, [.. first, .. first, .. third]);
        AssertRefused(_cipher, length, 0, [.. first, .. second, .. second]);
        AssertRefused(_cipher, length, 1, first);
        AssertRefused(_cipher, length, 0, second);
    }

    [Fact]
    public void Segments_of_another_sealing_stripe_content_or_vault_are_refused()
    {
        byte[] content = SealingRig.Bytes(Entropy, 2 * Segment);
        byte[] own = SealStripe(_cipher, content);

        // All share the content key, so what tells them apart is the SealId or the AAD alone.
        StripeCipher[] others =
        [
            Cipher(_vault, _content, ordinal: 3, new SealId(Seal.Value ^ 1)),
            Cipher(_vault, _content, ordinal: 4),
            Cipher(_vault, new ContentId(_content.Value ^ 1), ordinal: 3),
            Cipher(new VaultId(_vault.Value ^ 1), _content, ordinal: 3),
        ];
        foreach (StripeCipher other in others)
        {
            byte[] foreign = SealStripe(other, content);
            AssertRefused(_cipher, 2 * Segment, 0, foreign);
            AssertRefused(_cipher, 2 * Segment, 0, [.. own[..SealedSegment], .. foreign[SealedSegment..]]);
            AssertRefused(_cipher, 2 * Segment, 0, [.. foreign[..SealedSegment], .. own[SealedSegment..]]);
            AssertRefused(other, 2 * Segment, 0, own);
            other.Dispose();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Geometry.MaxStripeBytes + 1)]
    public void A_stripe_of_no_or_too_many_bytes_is_refused(int length)
    {
        byte[] content = new byte[length];
        byte[] sealedBytes = new byte[Geometry.PlainSealedBytes(length)];
        SealingRig.AssertRefused(ErrorKind.InvalidArgument, () => _cipher.Seal(content, sealedBytes));
        SealingRig.AssertRefused(
            ErrorKind.InvalidArgument, () => _cipher.Open(length, 0, sealedBytes, content));
    }

    [Fact]
    public void A_stripe_that_is_sealed_in_runs_is_the_same() => Gen
        .Select(Gen.Int[1, 6 * Segment], Gen.Int[1, 4])
        .Sample(
            (length, segmentsPerRun) =>
            {
                byte[] content = SealingRig.Bytes(Entropy, length);
                byte[] inRuns = new byte[Geometry.PlainSealedBytes(length)];
                for (int at = 0; at < length; at += segmentsPerRun * Segment)
                {
                    int bytes = Math.Min(segmentsPerRun * Segment, length - at);
                    SegmentRun run = StripeCipher.RunOf(length, at, bytes);
                    _cipher.Seal(
                        length, run.FirstSegment, content.AsSpan(at, bytes),
                        inRuns.AsSpan(run.SealedStart, run.SealedLength));
                }

                Assert.Equal(SealStripe(_cipher, content), inRuns);
            },
            iter: 50,
            threads: 1);

    [Theory]
    [InlineData(2 * Segment, 0, 100)] // a piece that ends within a segment
    [InlineData(Segment + 100, 1, 99)]
    [InlineData(Segment + 100, 1, 101)]
    [InlineData(Segment, 0, 0)]
    public void A_run_that_ends_within_a_segment_is_not_sealed(int length, int firstSegment, int bytes) =>
        SealingRig.AssertRefused(
            ErrorKind.Corrupt,
            () => _cipher.Seal(
                length, firstSegment, new byte[bytes], new byte[Geometry.PlainSealedBytes(bytes)]));

    [Theory]
    [InlineData(99)]
    [InlineData(115)]
    [InlineData(117)]
    public void Sealing_into_a_target_of_another_length_is_refused(int length) => SealingRig.AssertRefused(
        ErrorKind.InvalidArgument, () => _cipher.Seal(new byte[100], new byte[length]));

    [Theory]
    [InlineData(100, 0, 99)]
    [InlineData(100, 0, 101)]
    [InlineData(100, -1, 100)]
    [InlineData(100, 1, 100)]
    [InlineData(100, int.MaxValue, 100)]
    public void Opening_into_another_length_or_from_no_segment_is_refused_and_leaves_zeros(
        int contentBytes, int firstSegment, int targetBytes)
    {
        byte[] sealedBytes = SealStripe(_cipher, new byte[100]);
        AssertRefused(
            _cipher, contentBytes, firstSegment, sealedBytes, targetBytes, ErrorKind.InvalidArgument);
    }

    [Fact]
    public void No_key_stream_block_repeats_within_a_stripe_or_between_two_sealings()
    {
        // Zeros sealed give the key stream, which repeats exactly where key, nonce and counter do.
        var blocks = new HashSet<UInt128>();
        foreach (UInt128 seal in (UInt128[])[1, 2])
        {
            using StripeCipher cipher = Cipher(_vault, _content, ordinal: 0, new SealId(seal));
            byte[] sealedBytes = SealStripe(cipher, new byte[Geometry.MaxStripeBytes]);
            for (int at = 0; at < sealedBytes.Length; at += SealedSegment)
            {
                for (int block = at; block < at + Segment; block += Id128.Bytes)
                {
                    Assert.True(blocks.Add(Id128.Read(sealedBytes.AsSpan(block))));
                }
            }
        }

        Assert.Equal(2 * Geometry.MaxStripeBytes / Id128.Bytes, blocks.Count);
    }

    [Fact]
    public void Segments_cost_nothing_on_the_heap()
    {
        // What the runtime itself does once meanwhile (a method compiled anew, a pool trimmed) is not the cipher's.
        const int Rounds = 5;
        byte[] content = new byte[Geometry.MaxStripeBytes];
        byte[] sealedBytes = SealStripe(_cipher, content);
        _cipher.Open(content.Length, 0, sealedBytes, content);
        Assert.Equal(0, Enumerable.Range(0, Rounds).Min(_ => Allocated(() =>
        {
            _cipher.Seal(content, sealedBytes);
            _cipher.Open(content.Length, 0, sealedBytes, content);
        })));

        static long Allocated(Action work)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            work();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Disposed_it_opens_and_seals_nothing_and_leaves_zeros()
    {
        byte[] sealedBytes = SealStripe(_cipher, new byte[10]);
        byte[] target = Enumerable.Repeat(SealingRig.Dirt, 10).ToArray();
        _cipher.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _cipher.Open(10, 0, sealedBytes, target));
        Assert.All(target, b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => _cipher.Seal(new byte[10], sealedBytes));
    }

    private static byte[] SealStripe(StripeCipher cipher, byte[] content)
    {
        byte[] sealedBytes = new byte[Geometry.PlainSealedBytes(content.Length)];
        cipher.Seal(content, sealedBytes);
        return sealedBytes;
    }

    // Into parts of these lengths and the rest; one of no bytes among them.
    private static ReadOnlyMemory<byte>[] Cut(byte[] bytes, int[] cuts)
    {
        var parts = new List<ReadOnlyMemory<byte>>();
        int at = 0;
        foreach (int cut in cuts)
        {
            int end = Math.Min(bytes.Length, at + cut);
            parts.Add(bytes.AsMemory(at, end - at));
            at = end;
        }

        return [.. parts, bytes.AsMemory(at)];
    }

    private static void AssertRefused(
        StripeCipher cipher, int contentBytes, int firstSegment, byte[] sealedBytes)
    {
        int segments = (sealedBytes.Length + SealedSegment - 1) / SealedSegment;
        int target = Math.Max(0, sealedBytes.Length - (segments * Geometry.SealTagBytes));
        AssertRefused(cipher, contentBytes, firstSegment, sealedBytes, target, ErrorKind.Corrupt);
    }

    private static void AssertRefused(
        StripeCipher cipher, int contentBytes, int firstSegment, byte[] sealedBytes, int targetBytes,
        ErrorKind kind)
    {
        byte[] target = new byte[targetBytes];
        target.AsSpan().Fill(SealingRig.Dirt);
        SealingRig.AssertRefused(kind, () => cipher.Open(contentBytes, firstSegment, sealedBytes, target));
        Assert.False(target.AsSpan().ContainsAnyExcept((byte)0));
    }

    private StripeCipher Cipher(VaultId vault, ContentId content, int ordinal, SealId? seal = null)
    {
        using var key = new ContentKey(vault, content, new Secret(_key, isLongLived: false));
        return key.ForStripe(seal ?? Seal, ordinal);
    }
}
