using System.Text;

namespace ZeroStor.Tests.Sealing;

/// <summary>Content of segments that compress and segments that don't, in an order that a seed says.</summary>
internal static class MixedContent
{
    private static readonly string[] Words =
        ["silo", "disk", "shard", "stripe", "vault", "tick", "home", "place", "group", "segment", "volume", "record"];

    public static byte[] Of(int seed, int length)
    {
        var entropy = new SeededEntropy(seed);
        byte[] content = new byte[length];
        for (int at = 0; at < length; at += Geometry.SegmentBytes)
        {
            Span<byte> segment = content.AsSpan(at, Math.Min(Geometry.SegmentBytes, length - at));
            switch (SealingRig.Bytes(entropy, 1)[0] % 3)
            {
                case 0:
                    entropy.Fill(segment);
                    break;
                case 1:
                    Text(entropy, segment);
                    break;
                default:
                    // Zeros.
                    break;
            }
        }

        return content;
    }

    public static byte[] Text(int seed, int length)
    {
        byte[] content = new byte[length];
        Text(new SeededEntropy(seed), content);
        return content;
    }

    private static void Text(SeededEntropy entropy, Span<byte> target)
    {
        byte[] choices = SealingRig.Bytes(entropy, target.Length);
        var text = new StringBuilder();
        for (int i = 0; text.Length < target.Length; i++)
        {
            text.Append(Words[choices[i] % Words.Length]).Append(' ').Append(choices[i] / 5)
                .Append(" was written by its home and is durable there\n");
        }

        Encoding.ASCII.GetBytes(text.ToString().AsSpan(0, target.Length), target);
    }
}
