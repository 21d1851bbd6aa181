using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ZeroStor.S3Load;

/// <summary>What came back of bytes that were sent.</summary>
/// <param name="Status">Of HTTP; 0: the connection was closed without an answer.</param>
/// <param name="Body">The answer's, as far as it came.</param>
internal sealed record RawAnswer(int Status, string Body);

/// <summary>Sends bytes over a connection of their own, and reads the answer to its end.</summary>
internal sealed class RawCaller(Uri url)
{
    private const int MaxAnswerBytes = 4 * 1024 * 1024;

    /// <summary>An answer that is not begun by now is waited for no longer by who says that he has
    /// ended.</summary>
    private static readonly TimeSpan EndsAfter = TimeSpan.FromMilliseconds(400);

    /// <param name="request">What is sent.</param>
    /// <param name="isEnded">Whether the connection is ended from this side when no answer comes soon, as by
    /// a client that has died; else it is left open, and the server must end it.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">No end came: the server hangs.</exception>
    public async Task<RawAnswer> SendAsync(byte[] request, bool isEnded, CancellationToken cancel)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.NoDelay = true;
        var answer = new MemoryStream();
        try
        {
            await socket.ConnectAsync(url.Host, url.Port, cancel);
            Task<bool> read = ReadAsync(socket, answer, request.AsSpan().StartsWith("HEAD "u8), cancel);
            for (ReadOnlyMemory<byte> rest = request; rest.Length > 0 && !read.IsCompleted;)
            {
                rest = rest[await socket.SendAsync(rest, SocketFlags.None, cancel)..];
            }

            if (isEnded && await Task.WhenAny(read, Task.Delay(EndsAfter, cancel)) != read)
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            await read;
        }
        catch (SocketException)
        {
            // Refused in the middle of what was sent: what came until then is the answer.
        }

        string text = Encoding.Latin1.GetString(answer.ToArray());
        bool isAnswer = int.TryParse(
            text.Split(' ').ElementAtOrDefault(1), CultureInfo.InvariantCulture, out int status);
        return new RawAnswer(isAnswer ? status : 0, text[Math.Max(0, EndOfHeaders(text))..]);
    }

    // Whether an answer came to its end; false: the connection did.
    private static async Task<bool> ReadAsync(
        Socket socket, MemoryStream answer, bool isHead, CancellationToken cancel)
    {
        byte[] piece = new byte[64 * 1024];
        for (int read; (read = await socket.ReceiveAsync(piece, SocketFlags.None, cancel)) > 0;)
        {
            answer.Write(piece, 0, read);
            DropInterim(answer);
            string text = Encoding.Latin1.GetString(answer.ToArray());
            if (IsWhole(text, isHead) || answer.Length > MaxAnswerBytes)
            {
                return true;
            }
        }

        return false;
    }

    // 100 Continue is not the answer.
    private static void DropInterim(MemoryStream answer)
    {
        string text = Encoding.Latin1.GetString(answer.ToArray());
        int end = EndOfHeaders(text);
        if (text.StartsWith("HTTP/1.1 1", StringComparison.Ordinal) && end > 0)
        {
            answer.SetLength(0);
            answer.Write(Encoding.Latin1.GetBytes(text[end..]));
        }
    }

    private static bool IsWhole(string text, bool isHead)
    {
        int end = EndOfHeaders(text);
        if (end < 0)
        {
            return false;
        }

        string head = text[..end];
        if (isHead || head.StartsWith("HTTP/1.1 204", StringComparison.Ordinal)
            || head.StartsWith("HTTP/1.1 304", StringComparison.Ordinal))
        {
            return true;
        }

        const string Length = "\r\nContent-Length: ";
        int at = head.IndexOf(Length, StringComparison.OrdinalIgnoreCase);
        if (at >= 0)
        {
            string value = head[(at + Length.Length)..].Split('\r')[0];
            return text.Length - end >= long.Parse(value, CultureInfo.InvariantCulture);
        }

        return head.Contains("\r\nTransfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase)
            && text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal);
    }

    private static int EndOfHeaders(string text)
    {
        int at = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return at < 0 ? -1 : at + 4;
    }
}
