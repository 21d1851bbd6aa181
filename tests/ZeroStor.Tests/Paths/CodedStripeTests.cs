using CsCheck;
using ZeroStor.Erasure;
using ZeroStor.Paths;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Paths;

public sealed class CodedStripeTests
{
    private static readonly Code Code = new(4, 2);

    [Fact]
    public void Shards_are_slices_of_what_was_sealed_then_parity_and_each_has_its_sum() =>
        Gen.Int[1, 1_048_576].Sample(
            bytes =>
            {
                using var fabric = new PathFixture(Code, disks: 6, seed: bytes);
                (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(bytes));
                using CodedStripe coded = CodedStripe.Make(stripe, new SealId(9));
                byte[] sealedBytes = Sealed(stripe, new SealId(9));
                byte[][] shards = [.. Enumerable.Range(0, Code.N).Select(p => coded.Shard(p).Span.ToArray())];
                byte[] data = [.. shards.Take(Code.K).SelectMany(s => s)];
                Assert.Equal(sealedBytes.Length, coded.SealedBytes);
                Assert.True(data.AsSpan(0, coded.SealedBytes).SequenceEqual(sealedBytes));
                Assert.False(data.AsSpan(coded.SealedBytes).ContainsAnyExcept((byte)0));
                byte[][] parity = [new byte[shards[0].Length], new byte[shards[0].Length]];
                ReedSolomon.For(Code).Encode(
                    [.. shards.Take(Code.K).Select(s => (ReadOnlyMemory<byte>)s)],
                    [.. parity.Select(p => (Memory<byte>)p)]);
                Assert.Equal(parity, shards.Skip(Code.K));
                Assert.Equal(shards.Select(s => Sum128.Of(s)), Enumerable.Range(0, Code.N).Select(coded.SumOf));
            },
            iter: 40);

    [Fact]
    public void What_its_owner_sealed_is_coded_as_it_is()
    {
        using var fabric = new PathFixture(Code, disks: 6);
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(300_000));
        using CodedStripe here = CodedStripe.Make(stripe, new SealId(9));
        byte[] sealedBytes = Sealed(stripe, new SealId(9));
        StripeToWrite owned = stripe with
        {
            Key = null,
            Sealed = new OwnSeal(new SealId(9), 300_000),
            Parts = [sealedBytes.AsMemory(0, 100_000), sealedBytes.AsMemory(100_000)],
        };
        using CodedStripe there = CodedStripe.Make(owned, new SealId(9));
        Assert.Equal(here.SumsDigest, there.SumsDigest);
        Assert.Equal(here.SealedBytes, there.SealedBytes);
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => CodedStripe.Make(
            owned with { Sealed = new OwnSeal(new SealId(9), 100) }, new SealId(9)));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
    }

    [Fact]
    public void A_stripe_leaves_less_than_four_kibibytes_on_the_heap()
    {
        using var fabric = new PathFixture(Code.Default, disks: 24);
        (StripeToWrite stripe, _) = fabric.Stripe(fabric.Content(Geometry.MaxStripeBytes));
        for (int i = 0; i < 3; i++)
        {
            CodedStripe.Make(stripe, new SealId((UInt128)i)).Dispose();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        CodedStripe.Make(stripe, new SealId(9)).Dispose();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 4096);
    }

    private static byte[] Sealed(StripeToWrite stripe, SealId seal)
    {
        byte[] content = [.. stripe.Parts.SelectMany(p => p.ToArray())];
        byte[] sealedBytes = new byte[Geometry.PlainSealedBytes(content.Length)];
        using StripeCipher cipher = stripe.Key!.ForStripe(seal, stripe.Ordinal);
        cipher.Seal(content, sealedBytes);
        return sealedBytes;
    }
}
