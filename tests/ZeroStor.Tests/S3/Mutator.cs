using System.Text;

namespace ZeroStor.Tests.S3;

/// <summary>Makes bad inputs of good ones, by a seed.</summary>
internal sealed class Mutator(int seed)
{
    private readonly Random _random = new(seed);

    public int Next(int below) => _random.Next(below);

    public T Pick<T>(T[] choices) => choices[_random.Next(choices.Length)];

    /// <param name="good">What is changed, one to four times.</param>
    /// <param name="pieces">Of which some are put in.</param>
    public byte[] Bytes(byte[] good, string[] pieces)
    {
        List<byte> bytes = [.. good];
        for (int changes = 1 + Next(4); changes > 0; changes--)
        {
            int at = Next(bytes.Count + 1);
            int length = Math.Min(Next(12), bytes.Count - at);
            switch (Next(6))
            {
                case 0 when at < bytes.Count:
                    bytes[at] = (byte)Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 4:
                    bytes.Insert(at, (byte)Next(256));
                    break;
                default:
                    byte[] piece = Encoding.UTF8.GetBytes(Pick(pieces));
                    int from = Next(piece.Length + 1);
                    bytes.InsertRange(at, piece[from..(from + Next(piece.Length - from + 1))]);
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>As <see cref="Bytes"/>, of text as a server makes it of bytes; at times it is left as it
    /// was.</summary>
    public string Text(string good, string[] pieces) =>
        Next(4) == 0 ? good : Encoding.Latin1.GetString(Bytes(Encoding.Latin1.GetBytes(good), pieces));
}
