using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Hashing;
using CsCheck;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class SegmentCompressorTests
{
    private static readonly SeededEntropy Entropy = new(63);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void What_is_compressed_expands_to_what_it_was() =>
        Gen.Select(Gen.Int[128, Geometry.SegmentBytes], Gen.Int[0, 1 << 20]).Sample(
            (length, seed) =>
            {
                byte[] content = MixedContent.Of(seed, length);
                byte[] target = new byte[length];
                int stored = SegmentCompressor.Compress(content, target);
                if (stored == length)
                {
                    return;
                }

                Assert.InRange(stored, 1, length - (length / 8));
                byte[] expanded = new byte[length];
                Assert.True(SegmentCompressor.TryExpand(target.AsSpan(0, stored), expanded));
                Assert.Equal(content, expanded);
                Assert.False(SegmentCompressor.TryExpand(target.AsSpan(0, stored), new byte[length - 1]));
                Assert.False(SegmentCompressor.TryExpand(target.AsSpan(0, stored), new byte[length + 1]));
            },
            iter: 300);

    [Fact]
    public void Where_an_eighth_is_not_saved_or_does_not_fit_it_is_left_as_it_is()
    {
        byte[] content = SealingRig.Bytes(Entropy, 8000);
        byte[] target = new byte[8000];
        Assert.Equal(8000, SegmentCompressor.Compress(content, target));
        byte[] half = [.. content.AsSpan(0, 7500), .. new byte[500]];
        Assert.Equal(8000, SegmentCompressor.Compress(half, target));
        byte[] zeros = new byte[8000];
        int stored = SegmentCompressor.Compress(zeros, target);
        Assert.InRange(stored, 1, 100);
        Assert.Equal(8000, SegmentCompressor.Compress(zeros, target.AsSpan(0, stored - 1)));
        Assert.Equal(8000, SegmentCompressor.Compress(zeros, []));
    }

    [Theory]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(600)]
    [InlineData(Geometry.SegmentBytes)]
    public void Random_bytes_are_not_tried_and_text_is(int length)
    {
        // The same bytes each time: one sample in a million looks as if it might pay.
        var entropy = new SeededEntropy(64);
        for (int i = 0; i < 2000; i++)
        {
            Assert.False(SegmentCompressor.MayPay(SealingRig.Bytes(entropy, length)));
        }

        Assert.Equal(length >= 128, SegmentCompressor.MayPay(MixedContent.Text(1, length)));
        Assert.Equal(length >= 128, SegmentCompressor.MayPay(new byte[length]));
    }

    [Fact]
    public void Content_that_compresses_in_one_place_alone_is_found_by_the_sample_where_it_is_half()
    {
        byte[] content = SealingRig.Bytes(Entropy, Geometry.SegmentBytes);
        MixedContent.Text(1, Geometry.SegmentBytes / 2).CopyTo(content, 1000);
        Assert.True(SegmentCompressor.MayPay(content));
    }

    [Fact]
    public void What_is_no_block_does_not_expand() => Gen.Int[1, 300].Sample(length => Assert.False(
        SegmentCompressor.TryExpand(SealingRig.Bytes(new SeededEntropy(length), length), new byte[1000])));

    [Fact]
    public async Task What_is_compressed_here_the_lz4_tool_expands()
    {
        byte[] content = MixedContent.Text(5, 50_000);
        byte[] target = new byte[content.Length];
        int stored = SegmentCompressor.Compress(content, target);
        using Process lz4 = StartLz4();
        await lz4.StandardInput.BaseStream.WriteAsync(FrameOf(target[..stored]), Cancel);
        lz4.StandardInput.Close();
        using var expanded = new MemoryStream();
        await lz4.StandardOutput.BaseStream.CopyToAsync(expanded, Cancel);
        Assert.Equal(content, expanded.ToArray());
    }

    // The tool wants a frame (lz4_Frame_format.md): of one independent block, without sums.
    private static byte[] FrameOf(byte[] block)
    {
        byte[] descriptor = [0x60, 0x40];
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, block.Length);
        return
        [
            0x04, 0x22, 0x4D, 0x18, .. descriptor, (byte)(XxHash32.HashToUInt32(descriptor) >> 8), .. length, .. block,
            0, 0, 0, 0,
        ];
    }

    private static Process StartLz4()
    {
        try
        {
            return Process.Start(new ProcessStartInfo("lz4", ["-d", "-c", "-q"])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true,
            })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("there is no lz4 in PATH");
            throw;
        }
    }
}
