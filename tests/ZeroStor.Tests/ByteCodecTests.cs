using CsCheck;

namespace ZeroStor.Tests;

public sealed class ByteCodecTests
{
    private delegate void Reading(ref ByteReader reader);

    [Fact]
    public void Everything_written_is_read_back()
    {
        var writer = new ByteWriter();
        writer.Byte(7);
        writer.UInt32(0x01020304);
        writer.UInt128(UInt128.MaxValue - 5);
        writer.Sum(new Sum128(1, 2));
        writer.VarInt(300);
        writer.Raw([9, 8]);
        writer.Blob([1, 2, 3]);
        writer.Text("größer");
        var reader = new ByteReader(writer.ToArray(), "test");
        Assert.Equal(7, reader.Byte());
        Assert.Equal(0x01020304u, reader.UInt32());
        Assert.Equal(UInt128.MaxValue - 5, reader.UInt128());
        Assert.Equal(new Sum128(1, 2), reader.Sum());
        Assert.Equal(300, reader.Count());
        Assert.Equal([9, 8], reader.Take(2).ToArray());
        Assert.Equal([1, 2, 3], reader.Blob().ToArray());
        Assert.Equal("größer", reader.Text());
        reader.End();
    }

    [Fact]
    public void Numbers_are_big_endian()
    {
        var writer = new ByteWriter();
        writer.UInt32(0x01020304);
        Assert.Equal([1, 2, 3, 4], writer.ToArray());
    }

    [Fact]
    public void Any_number_goes_both_ways() => Gen
        .OneOf(Gen.Long[0, long.MaxValue], Gen.Int[0, 62].Select(bit => 1L << bit))
        .Sample(value =>
        {
            var writer = new ByteWriter();
            writer.VarInt(value);
            var reader = new ByteReader(writer.ToArray(), "test");
            Assert.Equal(value, reader.VarInt());
            reader.End();
        });

    [Theory]
    [InlineData(0L, "00")]
    [InlineData(127L, "7f")]
    [InlineData(128L, "8001")]
    [InlineData(624_485L, "e58e26")] // the example of the DWARF standard
    [InlineData(long.MaxValue, "ffffffffffffffff7f")]
    public void Numbers_are_LEB128(long value, string hex)
    {
        var writer = new ByteWriter();
        writer.VarInt(value);
        Assert.Equal(hex, Convert.ToHexStringLower(writer.ToArray()));
    }

    [Fact]
    public void A_negative_number_is_not_written() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ByteWriter().VarInt(-1));

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("8000")] // 0, written longer than it is
    [InlineData("ff00")]
    [InlineData("ffffffffffffffffff01")] // 2^63 and more
    public void Other_numbers_are_refused(string hex) =>
        AssertCorrupt(hex, (ref reader) => reader.VarInt());

    [Theory]
    [InlineData("8080808008")] // 2^31
    [InlineData("ffffffffffffffff7f")]
    public void A_count_beyond_an_int_is_refused(string hex) =>
        AssertCorrupt(hex, (ref reader) => reader.Count());

    [Theory]
    [InlineData("8080808010")] // 2^32
    [InlineData("ffffffffffffffff7f")]
    public void A_number_beyond_32_bits_is_refused(string hex) =>
        AssertCorrupt(hex, (ref reader) => reader.VarUInt32());

    [Theory]
    [InlineData("05616263")]
    [InlineData("ffffffff07")]
    public void A_blob_that_ends_too_early_is_refused(string hex) =>
        AssertCorrupt(hex, (ref reader) => reader.Blob());

    [Theory]
    [InlineData("01ff")]
    [InlineData("02c080")] // a NUL, written longer than it is
    [InlineData("03eda080")] // half of a surrogate pair
    public void Text_that_is_not_UTF8_is_refused(string hex) =>
        AssertCorrupt(hex, (ref reader) => reader.Text());

    [Fact]
    public void Text_that_is_not_Unicode_is_not_written() => Assert.Equal(
        ErrorKind.InvalidArgument,
        Assert.Throws<ZeroStorException>(() => new ByteWriter().Text("\ud800")).Kind);

    [Fact]
    public void Bytes_behind_the_end_are_refused() => AssertCorrupt("00", (ref reader) => reader.End());

    [Fact]
    public void Another_format_is_refused_by_its_name()
    {
        ZeroStorException refusal = AssertCorrupt("02", (ref reader) => reader.Format(1));
        Assert.Contains("A test is of format 2", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sum_at_the_end_covers_all_before_it()
    {
        var writer = new ByteWriter();
        writer.Raw([1, 2, 3]);
        writer.SumOfAll();
        byte[] bytes = writer.ToArray();
        var reader = new ByteReader(bytes, "test");
        Assert.Equal(1, reader.Byte());
        reader.SumOfAll();
        Assert.Equal([2, 3], reader.Take(2).ToArray());
        reader.End();
        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] changed = [.. bytes];
            changed[at] ^= 1;
            AssertCorrupt(Convert.ToHexString(changed), (ref reader) => reader.SumOfAll());
        }

        AssertCorrupt("010203", (ref reader) => reader.SumOfAll());
    }

    private static ZeroStorException AssertCorrupt(string hex, Reading read)
    {
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() =>
        {
            var reader = new ByteReader(Convert.FromHexString(hex), "test");
            read(ref reader);
        });
        Assert.Equal(ErrorKind.Corrupt, refusal.Kind);
        return refusal;
    }
}
