using CsCheck;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

/// <summary>What was not sealed as a compressed stripe does not open as one; as <see cref="StripeCipherTests"/> has it
/// of the others.</summary>
public sealed class StripeOpenerTests : IDisposable
{
    private const int Segment = Geometry.SegmentBytes;
    private const int Tag = Geometry.SealTagBytes;

    private static readonly SeededEntropy Entropy = new(62);
    private static readonly SealId Seal = SealId.New(Entropy);
    private static readonly VaultId Vault = VaultId.New(Entropy);
    private static readonly ContentId Content = ContentId.New(SealingRig.Now, Entropy);

    private readonly byte[] _secret = SealingRig.Bytes(Entropy, Secret.KeyBytes);
    private readonly ContentKey _key;

    public StripeOpenerTests() => _key = Key(Vault, Content);

    [Fact]
    public void Every_flipped_bit_of_a_small_stripe_is_refused()
    {
        byte[] sealedBytes = SealStripe(MixedContent.Text(1, 600));
        SealingRig.ForEachFlippedBit(sealedBytes, (flipped, _) => AssertRefused(600, flipped));
    }

    [Fact]
    public void Every_flipped_bit_of_the_index_of_a_longer_one_is_refused()
    {
        int length = (2 * Segment) + 300;
        byte[] sealedBytes = SealStripe(MixedContent.Text(2, length));
        for (int bit = 0; bit < ((3 * 2) + Tag) * 8; bit++)
        {
            sealedBytes[bit / 8] ^= (byte)(1 << (bit % 8));
            AssertRefused(length, sealedBytes);
            sealedBytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Open(length, sealedBytes);
    }

    [Fact]
    public void Any_changed_byte_of_any_stripe_is_refused() =>
        Gen.Select(Gen.Int[200, 4 * Segment], Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 30], Gen.Byte[1, 255]).Sample(
            (length, seed, at, change) =>
            {
                byte[] sealedBytes = SealStripe(MixedContent.Of(seed, length));
                sealedBytes[at % sealedBytes.Length] ^= change;
                AssertRefused(length, sealedBytes);
            },
            iter: 300);

    [Fact]
    public void Every_truncation_and_extension_is_refused()
    {
        byte[] sealedBytes = SealStripe(MixedContent.Text(3, 600));
        for (int length = 1; length < sealedBytes.Length; length++)
        {
            AssertRefused(600, sealedBytes[..length]);
        }

        AssertRefused(600, [.. sealedBytes, 0]);
        AssertRefused(600, [.. sealedBytes, .. sealedBytes]);
        int longer = Segment + 600;
        byte[] two = SealStripe(MixedContent.Text(4, longer));
        AssertRefused(longer, two[..^1]);
        AssertRefused(longer, two[..^(Tag + 1)]);
        AssertRefused(longer, [.. two, 0]);
    }

    [Fact]
    public void A_stripe_that_claims_other_content_than_was_sealed_is_refused()
    {
        int length = (2 * Segment) + 300;
        byte[] sealedBytes = SealStripe(MixedContent.Text(5, length));
        foreach (int claimed in (int[])[
            length - 1, length + 1, 2 * Segment, 3 * Segment, Segment + 300, Geometry.MaxStripeBytes])
        {
            AssertRefused(claimed, sealedBytes);
        }

        // Stored as they are these bytes are a block of LZ4. Nobody may have them expanded by claiming that they were content.
        byte[] block = new byte[400];
        int bytes = SegmentCompressor.Compress(new byte[1000], block);
        byte[] plain = SealStripe(block[..bytes]);
        AssertRefused(1000, plain);
        AssertRefused(bytes + 1, plain);
        byte[] mixed = [.. MixedContent.Text(5, Segment), .. block[..bytes]];
        byte[] compressed = SealStripe(mixed);
        Open(mixed.Length, compressed);
        AssertRefused(Segment + 1000, compressed);
    }

    [Fact]
    public void Segments_that_are_swapped_repeated_cut_or_elsewhere_are_refused()
    {
        byte[] one = MixedContent.Text(6, Segment);

        // Equal segments, so that their sealed forms are equally long and the index fits each order of them.
        byte[] sealedBytes = SealStripe([.. one, .. one, .. one]);
        int indexBytes = (3 * 2) + Tag;
        int sealedSegment = (sealedBytes.Length - indexBytes) / 3;
        byte[] index = sealedBytes[..indexBytes];
        byte[][] segments = [.. sealedBytes[indexBytes..].Chunk(sealedSegment)];
        Open(3 * Segment, [.. index, .. segments[0], .. segments[1], .. segments[2]]);
        foreach ((int a, int b, int c) in ((int, int, int)[])[
            (1, 0, 2), (0, 2, 1), (2, 1, 0), (0, 0, 2), (0, 1, 1), (2, 2, 2)])
        {
            AssertRefused(3 * Segment, [.. index, .. segments[a], .. segments[b], .. segments[c]]);
        }

        AssertRefused(2 * Segment, [.. index, .. segments[0], .. segments[1]]);
        AssertRefused(3 * Segment, [.. segments[0], .. index, .. segments[1], .. segments[2]]);
    }

    [Fact]
    public void Indexes_and_segments_of_another_sealing_stripe_content_or_vault_are_refused()
    {
        byte[] content = MixedContent.Text(7, 2 * Segment);
        byte[] own = SealStripe(content);
        int indexBytes = (2 * 2) + Tag;

        // All share the content key, so what tells them apart is the SealId or the AAD alone.
        (ContentKey Key, SealId Seal, int Ordinal)[] others =
        [
            (_key, new SealId(Seal.Value ^ 1), 3),
            (_key, Seal, 4),
            (Key(Vault, new ContentId(Content.Value ^ 1)), Seal, 3),
            (Key(new VaultId(Vault.Value ^ 1), Content), Seal, 3),
        ];
        foreach ((ContentKey key, SealId seal, int ordinal) in others)
        {
            byte[] foreign = SealStripe(content, key, seal, ordinal);
            Assert.Equal(own.Length, foreign.Length);
            AssertRefused(2 * Segment, foreign);
            AssertRefused(2 * Segment, [.. foreign[..indexBytes], .. own[indexBytes..]]);
            AssertRefused(2 * Segment, [.. own[..indexBytes], .. foreign[indexBytes..]]);
        }
    }

    [Fact]
    public void A_stripe_of_one_format_does_not_open_as_one_of_the_other()
    {
        // As long as a compressed stripe of 700 bytes could be.
        byte[] plain = SealStripe(SealingRig.Bytes(Entropy, 600));
        Assert.Equal(616, plain.Length);
        AssertRefused(700, plain);
        byte[] compressed = SealStripe(MixedContent.Text(8, 700));
        AssertRefused(compressed.Length - Tag, compressed);
    }

    [Theory]
    [InlineData(0, 16)]
    [InlineData(-1, 16)]
    [InlineData(10, 0)]
    [InlineData(10, 16)]
    [InlineData(10, 27)]
    [InlineData(Segment + 1, (2 * 2) + 16 + 33)]
    [InlineData(Geometry.MaxStripeBytes + 1, 4000)]
    public void Lengths_that_no_sealing_gives_are_refused(int contentBytes, int sealedBytes)
    {
        Assert.False(StripeOpener.IsSealedLength(contentBytes, sealedBytes));
        SealingRig.AssertRefused(
            ErrorKind.Corrupt, () => Opener(contentBytes, sealedBytes).Dispose());
    }

    [Fact]
    public void What_verifies_but_does_not_expand_to_its_content_is_refused()
    {
        // Sealed by who has the key, and made wrong: no block, and one of fewer bytes.
        byte[] noBlock = SealingRig.Bytes(Entropy, 50);
        byte[] shorter = new byte[50];
        int bytes = SegmentCompressor.Compress(new byte[300], shorter);
        foreach (byte[] stored in (byte[][])[noBlock, shorter[..bytes]])
        {
            byte[] sealedBytes = new byte[stored.Length + Tag];
            using CompressedStripeCipher cipher = _key.ForCompressedStripe(Seal, 3, 400);
            cipher.Seal(0, stored, sealedBytes);
            AssertRefused(400, sealedBytes);
        }
    }

    [Fact]
    public void Where_the_index_was_not_read_nothing_is_opened()
    {
        byte[] sealedBytes = SealStripe(MixedContent.Text(9, 2 * Segment));
        using StripeOpener opener = Opener(2 * Segment, sealedBytes.Length);
        Assert.False(opener.KnowsSegments);
        Assert.Throws<InvalidOperationException>(() => opener.RunOf(0, 1));
    }

    public void Dispose() => _key.Dispose();

    private void AssertRefused(int contentBytes, byte[] sealedBytes)
    {
        byte[] target = [];
        SealingRig.AssertRefused(ErrorKind.Corrupt, () =>
        {
            using StripeOpener opener = Opener(contentBytes, sealedBytes.Length);
            opener.ReadIndex([sealedBytes]);
            SegmentRun run = opener.RunOf(0, contentBytes);
            target = new byte[contentBytes];
            target.AsSpan().Fill(SealingRig.Dirt);
            opener.Open(run, [sealedBytes.AsMemory(run.SealedStart, run.SealedLength)], target);
        });
        Assert.False(target.AsSpan().ContainsAnyExcept((byte)0));
    }

    private void Open(int contentBytes, byte[] sealedBytes)
    {
        using StripeOpener opener = Opener(contentBytes, sealedBytes.Length);
        opener.ReadIndex([sealedBytes]);
        SegmentRun run = opener.RunOf(0, contentBytes);
        opener.Open(run, [sealedBytes.AsMemory(run.SealedStart, run.SealedLength)], new byte[contentBytes]);
    }

    private byte[] SealStripe(byte[] content) => SealStripe(content, _key, Seal, 3);

    private static byte[] SealStripe(byte[] content, ContentKey key, SealId seal, int ordinal)
    {
        byte[] target = new byte[Geometry.PlainSealedBytes(content.Length)];
        using var sealer = new StripeSealer(key, seal, ordinal, [content], Compression.Auto, target);
        while (sealer.Next(out _))
        {
        }

        return target[..sealer.SealedBytes];
    }

    private StripeOpener Opener(int contentBytes, int sealedBytes) =>
        new(_key, new StripeRef(default, default, Seal, contentBytes, sealedBytes, default), 3);

    private ContentKey Key(VaultId vault, ContentId content) =>
        new(vault, content, new Secret(_secret, isLongLived: false));
}
