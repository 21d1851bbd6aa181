using System.Text;

namespace ZeroStor.Benchmarks;

/// <summary>Lines as a log has them, no two the same, for content that compresses.</summary>
internal sealed class TextLines
{
    private int _line;

    internal void Fill(Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            _line++;
            byte[] line = Encoding.ASCII.GetBytes(
                $"{_line:d8} silo-{_line % 28} disk {_line * 31 % 97} stored shard {(uint)(_line * 2_654_435_761):x8} in "
                + $"{_line * 7919 % 1009} us\n");
            int bytes = Math.Min(line.Length, target.Length);
            line.AsSpan(0, bytes).CopyTo(target);
            target = target[bytes..];
        }
    }
}
