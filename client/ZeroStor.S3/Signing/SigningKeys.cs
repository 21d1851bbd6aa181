using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace ZeroStor.S3.Signing;

/// <summary>Signing keys, derived from secrets with four hashes and kept: a client signs all day with the
/// same one. Known by the secret itself, so a key that gets another secret never meets the earlier one's.
/// Thread-safe.</summary>
internal sealed class SigningKeys
{
    /// <summary>Many access keys on one day; whoever claims regions without end pushes out no more than
    /// that.</summary>
    public const int MaxKept = 4_096;

    private readonly ConcurrentDictionary<(string Secret, CredentialScope Scope), byte[]> _kept = new();

    public int Count => _kept.Count;

    public byte[] For(string secret, CredentialScope scope)
    {
        if (_kept.TryGetValue((secret, scope), out byte[]? kept))
        {
            return kept;
        }

        byte[] key = Derive(secret, scope);
        if (_kept.Count >= MaxKept)
        {
            // Yesterday's keys go with the rest; today's are made again as they are needed.
            _kept.Clear();
        }

        _kept[(secret, scope)] = key;
        return key;
    }

    private static byte[] Derive(string secret, CredentialScope scope)
    {
        byte[] key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (string step in new[] { scope.Day, scope.Region, scope.Service, CredentialScope.Terminator })
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        }

        return key;
    }
}
