using CsCheck;
using ZeroStor.Paths;
using ZeroStor.Tests.Sealing;

namespace ZeroStor.Tests.Paths;

/// <summary>Stripes of content that compresses, on their way in and out.</summary>
public sealed class CompressedStripeTests
{
    private static readonly Code Code = new(4, 2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Any_range_of_any_content_reads_back_with_any_two_homes_gone()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        await Gen.Select(
                Gen.Int[1, 1_048_576], Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 30], Gen.Int[0, 1 << 30],
                Gen.Int[1, 6], Gen.Int[1, 6])
            .SampleAsync(async (bytes, seed, offset, length, first, second) =>
            {
                byte[] content = MixedContent.Of(seed, bytes);
                (StripeToWrite stripe, _) = fabric.Stripe(content);
                StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
                offset %= bytes;
                length = 1 + (length % (bytes - offset));
                fabric.Homes[new DiskId((uint)first)] = Conduct.Offline;
                fabric.Homes[new DiskId((uint)second)] = Conduct.Offline;
                byte[] read = await fabric.ReadAsync(stripe, written, offset, length);
                Assert.True(content.AsSpan(offset, length).SequenceEqual(read));
                fabric.Homes[new DiskId((uint)first)] = Conduct.Honest;
                fabric.Homes[new DiskId((uint)second)] = Conduct.Honest;
            }, iter: 100, threads: 1);
    }

    [Fact]
    public async Task Text_takes_less_than_half_and_with_compression_off_all_of_its_length()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = MixedContent.Text(1, 1_000_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef compressed = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        Assert.InRange(compressed.SealedBytes, 1, 500_000);
        Assert.Equal(content.Length, compressed.ContentBytes);
        Assert.Equal(content, await fabric.ReadAsync(stripe, compressed, 0, content.Length));
        StripeToWrite off = stripe with { Compression = Compression.Off };
        StripeRef plain = (await fabric.Writer().RunAsync(off, Cancel)).Stripe;
        Assert.Equal(Geometry.PlainSealedBytes(content.Length), plain.SealedBytes);
        Assert.Equal(content, await fabric.ReadAsync(off, plain, 0, content.Length));
    }

    [Fact]
    public async Task A_range_asks_for_the_index_and_its_own_segments_alone()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = MixedContent.Text(2, 1_048_576);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        fabric.Homes.Reads.Clear();
        byte[] read = await fabric.ReadAsync(stripe, written, 70_000, 1000);
        Assert.Equal(content.AsSpan(70_000, 1000).ToArray(), read);
        Assert.Equal([fabric.Home(written, 0), fabric.Home(written, 0)], fabric.Homes.Reads.Select(r => r.Disk));
        int[] lengths = [.. fabric.Homes.Reads.Select(r => r.Length).Order()];
        Assert.Equal((16 * 2) + Geometry.SealTagBytes, lengths[0]);
        Assert.InRange(lengths[1], 1000, Geometry.SegmentBytes / 2);
    }

    [Fact]
    public async Task A_whole_stripe_is_asked_for_at_once()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = MixedContent.Text(3, 700_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        fabric.Homes.Reads.Clear();
        Assert.Equal(content, await fabric.ReadAsync(stripe, written, 0, content.Length));
        Assert.Equal(Code.K, fabric.Homes.Reads.Count);
    }

    [Fact]
    public async Task Homes_that_lie_about_the_index_or_a_segment_are_read_around_and_named()
    {
        using var fabric = new PathFixture(Code, disks: 6) { MinHedge = TimeSpan.FromSeconds(20) };
        byte[] content = MixedContent.Text(4, 1_000_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        foreach ((int offset, int length) in ((int, int)[])[(0, 100), (900_000, 100), (0, content.Length)])
        {
            fabric.Homes[fabric.Home(written, 0)] = Conduct.Lying;
            fabric.Homes[fabric.Home(written, 3)] = Conduct.Vouching;
            fabric.Faults.Clear();
            byte[] read = await fabric.ReadAsync(stripe, written, offset, length);
            Assert.Equal(content.AsSpan(offset, length).ToArray(), read);
            Assert.Contains(fabric.Faults, f => f.Place == 0 && f.What == ErrorKind.Corrupt);
        }

        fabric.Homes[fabric.Home(written, 1)] = Conduct.Lying;
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => fabric.ReadAsync(stripe, written, 0, content.Length));
        Assert.Equal(ErrorKind.TooFewShards, refusal.Kind);
    }

    [Fact]
    public async Task A_description_with_other_lengths_gives_no_byte()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        byte[] content = MixedContent.Text(5, 300_000);
        (StripeToWrite stripe, _) = fabric.Stripe(content);
        StripeRef written = (await fabric.Writer().RunAsync(stripe, Cancel)).Stripe;
        foreach (StripeRef said in (StripeRef[])[
            written with { ContentBytes = content.Length - 1 },
            written with { ContentBytes = content.Length + 1 },
            written with { SealedBytes = written.SealedBytes - 1 },
            written with { SealedBytes = Geometry.PlainSealedBytes(content.Length) },
            written with { SealedBytes = 10 }])
        {
            ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
                () => fabric.ReadAsync(stripe, said, 0, 1000));
            Assert.Contains(refusal.Kind, (ErrorKind[])[ErrorKind.Corrupt, ErrorKind.TooFewShards]);
        }
    }
}
