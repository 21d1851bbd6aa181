using CsCheck;
using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

public sealed class ReedSolomonTests
{
    public static TheoryData<string> Kernels => Stripe.Kernels;

    /// <summary>From ReedSolomonTest.testOneEncode of Backblaze's JavaReedSolomon (MIT).</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_published_vector_comes_out(string kernel)
    {
        byte[][] data = [[0, 1], [4, 5], [2, 3], [6, 7], [8, 9]];
        byte[][] parity = [new byte[2], new byte[2], new byte[2], new byte[2], new byte[2]];
        Stripe.CodecOf(5, 5, kernel).Encode(
            [.. data.Select(shard => (ReadOnlyMemory<byte>)shard)],
            [.. parity.Select(shard => shard.AsMemory())]);
        Assert.Equal([[12, 13], [10, 11], [14, 15], [90, 91], [94, 95]], parity);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Parity_is_that_of_another_implementation(string kernel)
    {
        string[] lines = File.ReadAllLines(VectorFile("erasure/backblaze.txt"));
        int codes = 0;
        foreach (string[] words in lines.Where(line => line[0] != '#').Select(line => line.Split(' ')))
        {
            Code code = Code.Parse(words[0]);
            Assert.Equal(words[1..], ParityOfIdentity(new ReedSolomon(code, Stripe.KernelNamed(kernel))));
            codes++;
        }

        Assert.Equal(16, codes);
    }

    [Fact]
    public void Parity_is_that_of_interpolating_a_polynomial() =>
        (from k in Gen.Int[1, 40]
         from m in Gen.Int[1, Code.MaxM]
         select new Code(k, m)).Sample(
            code => Assert.Equal(
                SlowField.Stripe(code, Identity(code.K)).Skip(code.K).Select(Convert.ToHexStringLower),
                ParityOfIdentity(ReedSolomon.For(code))),
            iter: 12);

    [Fact]
    public void Every_four_lost_shards_of_20_4_come_back()
    {
        var stripe = new Stripe(ReedSolomon.For(Code.Default), 37, new Random(204));
        int sets = 0;
        foreach (int[] lost in Stripe.Subsets(24, 4))
        {
            stripe.LoseAndRegain(lost, lost);
            sets++;
        }

        Assert.Equal(10_626, sets);
    }

    [Fact]
    public void Every_one_to_four_lost_shards_of_16_4_come_back()
    {
        var stripe = new Stripe(ReedSolomon.For(new Code(16, 4)), 300, new Random(164));
        int sets = 0;
        foreach (int[] lost in Enumerable.Range(1, 4).SelectMany(count => Stripe.Subsets(20, count)))
        {
            stripe.LoseAndRegain(lost, lost);
            sets++;
        }

        Assert.Equal(6_195, sets);
    }

    [Fact]
    public void Every_loss_of_every_small_code_comes_back_at_every_small_length()
    {
        for (int k = 1; k <= 8; k++)
        {
            for (int m = 1; m <= 4; m++)
            {
                int[][] losses =
                    [.. Enumerable.Range(1, m).SelectMany(count => Stripe.Subsets(k + m, count))];
                for (int shardBytes = 0; shardBytes <= (4 * k) + 3; shardBytes++)
                {
                    var random = new Random(shardBytes);
                    var stripe = new Stripe(ReedSolomon.For(new Code(k, m)), shardBytes, random);
                    Array.ForEach(losses, lost => stripe.LoseAndRegain(lost, lost));
                }
            }
        }
    }

    [Fact]
    public void Any_loss_of_any_code_comes_back_whatever_part_of_it_is_wanted() =>
        (from k in Gen.Int[1, Code.MaxK]
         from m in Gen.Int[1, Code.MaxM]
         from shardBytes in Gen.Int[1, 700]
         from seed in Gen.Int
         select (k, m, shardBytes, seed)).Sample(
            x =>
            {
                var random = new Random(x.seed);
                var stripe = new Stripe(ReedSolomon.For(new Code(x.k, x.m)), x.shardBytes, random);
                int[] places = [.. Enumerable.Range(0, x.k + x.m)];
                random.Shuffle(places);
                int[] lost = places[..random.Next(1, x.m + 1)];
                stripe.LoseAndRegain(lost, lost[..random.Next(1, lost.Length + 1)]);
            },
            iter: 150);

    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_widest_code_stands_the_loss_of_32(string kernel)
    {
        var stripe = new Stripe(Stripe.CodecOf(128, 32, kernel), 515, new Random(160));
        int[] first = [.. Enumerable.Range(0, 32)], last = [.. Enumerable.Range(128, 32)];
        int[] spread = [.. Enumerable.Range(0, 32).Select(i => i * 5)];
        stripe.LoseAndRegain(first, first);
        stripe.LoseAndRegain(last, last);
        stripe.LoseAndRegain(spread, spread);
    }

    [Fact]
    public void With_one_data_shard_all_shards_are_its_copies()
    {
        var stripe = new Stripe(ReedSolomon.For(new Code(1, 3)), 99, new Random(1));
        Assert.All(stripe.Shards, shard => Assert.Equal(stripe.Shards[0], shard));
    }

    [Fact]
    public void A_range_of_a_lost_shard_follows_from_that_range_of_k_others()
    {
        var stripe = new Stripe(ReedSolomon.For(new Code(6, 3)), 5000, new Random(63));
        foreach ((int first, int length) in new[] { (0, 1), (4999, 1), (17, 300), (255, 4097), (0, 5000) })
        {
            var range = new byte[length];
            var wanted = new Memory<byte>[9];
            wanted[2] = range;
            ReadOnlyMemory<byte>[] shards = stripe.Without([1, 2, 7]);
            stripe.Codec.Reconstruct(
                [.. shards.Select(shard => shard.IsEmpty ? shard : shard.Slice(first, length))], wanted);
            Assert.Equal(stripe.Shards[2][first..(first + length)], range);
        }
    }

    [Fact]
    public void A_shard_that_is_present_and_wanted_comes_out_as_well()
    {
        var stripe = new Stripe(ReedSolomon.For(new Code(4, 2)), 333, new Random(42));
        stripe.LoseAndRegain([], [0, 1, 2, 3, 4, 5]);
        stripe.LoseAndRegain([1], [0, 1, 5]);
    }

    [Fact]
    public void Only_the_first_k_present_are_read()
    {
        var stripe = new Stripe(ReedSolomon.For(new Code(4, 3)), 50, new Random(43));
        byte[] lost = [.. stripe.Shards[1]];
        Array.Clear(stripe.Shards[5]);
        Array.Clear(stripe.Shards[6]);
        var wanted = new Memory<byte>[7];
        wanted[1] = new byte[50];
        stripe.Codec.Reconstruct(stripe.Without([1]), wanted);
        Assert.Equal(lost, wanted[1].ToArray());
    }

    [Fact]
    public void Too_few_shards_are_refused_and_nothing_is_written()
    {
        var stripe = new Stripe(ReedSolomon.For(new Code(4, 2)), 10, new Random(4));
        var wanted = new Memory<byte>[6];
        wanted[0] = new byte[10];
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(
            () => stripe.Codec.Reconstruct(stripe.Without([0, 2, 5]), wanted));
        Assert.Equal(ErrorKind.TooFewShards, refusal.Kind);
        Assert.Equal(new byte[10], wanted[0].ToArray());

        stripe.Codec.Reconstruct(stripe.Without([0, 5]), wanted);
        Assert.Equal(stripe.Shards[0], wanted[0].ToArray());
    }

    [Fact]
    public void Where_nothing_is_wanted_nothing_is_needed()
    {
        ReedSolomon codec = ReedSolomon.For(new Code(4, 2));
        codec.Reconstruct(new ReadOnlyMemory<byte>[6], new Memory<byte>[6]);
        codec.Encode(new ReadOnlyMemory<byte>[4], new Memory<byte>[2]);
    }

    [Fact]
    public void A_code_has_one_codec() =>
        Assert.Same(ReedSolomon.For(new Code(7, 3)), ReedSolomon.For(new Code(7, 3)));

    [Fact]
    public void Decoding_matrices_are_kept_and_bounded()
    {
        var stripe = new Stripe(new ReedSolomon(new Code(64, 32), Kernel.Best), 1, new Random(9));
        int most = 0;
        for (int i = 0; i < 400; i++)
        {
            int[] lost = [.. Enumerable.Range(i % 60, 32).Append(95 - (i / 60)).Distinct().Take(32)];
            stripe.LoseAndRegain(lost, lost);
            stripe.LoseAndRegain(lost, lost);
            most = Math.Max(most, stripe.Codec.CachedDecodings);
        }

        Assert.InRange(most, 60, 400);
    }

    [Fact]
    public async Task Many_threads_share_one_codec()
    {
        var stripe = new Stripe(new ReedSolomon(new Code(10, 4), Kernel.Best), 100, new Random(104));
        int[][] losses = [.. Stripe.Subsets(14, 4)];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 2000),
            (i, _) =>
            {
                stripe.LoseAndRegain(losses[i % 50], losses[i % 50]);
                return ValueTask.CompletedTask;
            });
    }

    private static byte[][] Identity(int size)
    {
        byte[][] identity = [.. Enumerable.Range(0, size).Select(_ => new byte[size])];
        for (int i = 0; i < size; i++)
        {
            identity[i][i] = 1;
        }

        return identity;
    }

    // Coding is linear, so the parity of the identity says all.
    private static string[] ParityOfIdentity(ReedSolomon codec)
    {
        byte[][] parity = [.. Enumerable.Range(0, codec.Code.M).Select(_ => new byte[codec.Code.K])];
        codec.Encode(
            [.. Identity(codec.Code.K).Select(shard => (ReadOnlyMemory<byte>)shard)],
            [.. parity.Select(shard => shard.AsMemory())]);
        return [.. parity.Select(Convert.ToHexStringLower)];
    }

    private static string VectorFile(string name)
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !Directory.Exists(Path.Combine(folder, "tests", "vectors")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        Assert.NotNull(folder);
        return Path.Combine(folder, "tests", "vectors", name);
    }
}
