using ZeroStor.Erasure;

namespace ZeroStor.Tests.Erasure;

/// <summary>What the codec refuses, before it writes anything, and what it says.</summary>
public sealed class WrongShapesTests
{
    [Fact]
    public void Shards_of_unequal_length_or_number_are_refused()
    {
        ReedSolomon codec = ReedSolomon.For(new Code(2, 1));
        ReadOnlyMemory<byte> ten = new byte[10], nine = new byte[9];
        Memory<byte> target = new byte[10], shorter = new byte[9];
        RefusesToEncode([ten, nine], [target]);
        RefusesToEncode([ten, ten], [shorter]);
        RefusesToEncode([ten, default], [target]);
        RefusesToEncode([ten], [target]);
        RefusesToEncode([ten, ten], []);
        RefusesToReconstruct([ten, nine, default], [default, default, target]);
        RefusesToReconstruct([ten, default, ten], [default, shorter, default]);
        RefusesToReconstruct([default, ten, ten], [target, default, shorter]);
        RefusesToReconstruct([ten, ten], [default, default, target]);
        RefusesToReconstruct([ten, ten, default], [target]);

        void RefusesToEncode(ReadOnlyMemory<byte>[] data, Memory<byte>[] parity) =>
            Assert.Throws<ArgumentException>(() => codec.Encode(data, parity));

        void RefusesToReconstruct(ReadOnlyMemory<byte>[] shards, Memory<byte>[] wanted) =>
            Assert.Throws<ArgumentException>(() => codec.Reconstruct(shards, wanted));
    }

    [Fact]
    public void A_refusal_says_which_shard_is_wrong_and_how()
    {
        ReedSolomon codec = ReedSolomon.For(new Code(2, 1));
        ReadOnlyMemory<byte> ten = new byte[10], nine = new byte[9];
        Memory<byte> target = new byte[10], shorter = new byte[9], none = default;
        Says("place 1 has 9 bytes, and 10 ", () => codec.Encode([ten, nine], [target]));
        Says("place 2 has 9 bytes, and 10 ", () => codec.Encode([ten, ten], [shorter]));
        Says("place 1 has 9 bytes, and 10 ", () => codec.Reconstruct([ten, nine, ten], [target, none, none]));
        Says("2+1 is so many data and parity shards, not 1 and 1", () => codec.Encode([ten], [target]));
        Says("2+1 has 3 shards: not 2 to read", () => codec.Reconstruct([ten, ten], [target, none, none]));
        Says("A code without data shards", () => ReedSolomon.For(default));

        static void Says(string part, Action act) =>
            Assert.Contains(part, Assert.Throws<ArgumentException>(act).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_that_overlap_are_refused_and_nothing_is_written()
    {
        const int ShardBytes = 100;
        var codec = ReedSolomon.For(new Code(3, 2));
        byte[] room = new byte[1000];
        int[] apart = [0, 100, 200, 300, 400];
        foreach ((int moved, int onto, int apartBytes) in
            from moved in Enumerable.Range(0, 5)
            from onto in Enumerable.Range(0, 5)
            where moved != onto && (moved >= 3 || onto >= 3)
            from apartBytes in new[] { -99, -1, 0, 1, 99 }
            select (moved, onto, apartBytes))
        {
            int[] starts = [.. apart.Select(start => start + 500)];
            starts[onto] = 200;
            starts[moved] = 200 + apartBytes;
            string message = Assert.Throws<ArgumentException>(() => Encode(starts)).Message;
            Assert.Contains($"place {Math.Max(moved, onto)} overlaps", message, StringComparison.Ordinal);
            Assert.Contains($"of place {Math.Min(moved, onto)} in memory", message, StringComparison.Ordinal);
            Assert.Equal(new byte[room.Length], room);
        }

        Encode(apart);
        Encode([0, 0, 50, 200, 300]);
        Encode([400, 0, 300, 200, 100]);

        void Encode(int[] starts) => codec.Encode(
            [.. starts.Take(3).Select(start => (ReadOnlyMemory<byte>)room.AsMemory(start, ShardBytes))],
            [.. starts.Skip(3).Select(start => room.AsMemory(start, ShardBytes))]);
    }

    [Fact]
    public void A_shard_is_not_rebuilt_over_another_one()
    {
        var stripe = new Stripe(ReedSolomon.For(new Code(4, 2)), 60, new Random(42));
        var wanted = new Memory<byte>[6];
        wanted[1] = stripe.Shards[4];
        Refuses("place 1 overlaps the shard to read of place 4", [1]);

        // Not read, as four others come first; it would be lost all the same.
        wanted[1] = stripe.Shards[5];
        Refuses("place 1 overlaps the shard to read of place 5", [1]);

        wanted[1] = new byte[60];
        wanted[3] = wanted[1];
        Refuses("place 3 overlaps that of place 1", [1, 3]);

        wanted[3] = default;
        stripe.Codec.Reconstruct(stripe.Without([1]), wanted);
        Assert.Equal(stripe.Shards[1], wanted[1].ToArray());

        void Refuses(string part, int[] lost)
        {
            ArgumentException refusal = Assert.Throws<ArgumentException>(
                () => stripe.Codec.Reconstruct(stripe.Without(lost), wanted));
            Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
        }
    }
}
