using System.Collections.Immutable;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3;

/// <summary>The parameters of a query, decoded and in the order they came in. Names are told apart by case,
/// as S3 does.</summary>
public sealed class QueryParameters
{
    /// <summary>Presigned uploads of a part have some fifteen.</summary>
    private const int MaxParameters = 100;

    private readonly ImmutableArray<KeyValuePair<string, string>> _all;

    private QueryParameters(ImmutableArray<KeyValuePair<string, string>> all) => _all = all;

    public ImmutableArray<KeyValuePair<string, string>> All => _all;

    /// <summary>The first value of a name, empty for a name alone; null where it does not stand.</summary>
    public string? this[string name]
    {
        get
        {
            foreach ((string key, string value) in _all)
            {
                if (key == name)
                {
                    return value;
                }
            }

            return null;
        }
    }

    /// <exception cref="S3Exception">InvalidURI.</exception>
    public static QueryParameters Parse(string rawQuery)
    {
        ArgumentNullException.ThrowIfNull(rawQuery);
        ImmutableArray<KeyValuePair<string, string>>.Builder all =
            ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (Range range in rawQuery.AsSpan().Split('&'))
        {
            ReadOnlySpan<char> pair = rawQuery.AsSpan(range);
            if (pair.IsEmpty)
            {
                continue;
            }

            int equals = pair.IndexOf('=');
            ReadOnlySpan<char> rawName = equals < 0 ? pair : pair[..equals];
            ReadOnlySpan<char> rawValue = equals < 0 ? [] : pair[(equals + 1)..];
            if (!Percent.TryDecode(rawName, plusIsSpace: true, out string name)
                || !Percent.TryDecode(rawValue, plusIsSpace: true, out string value))
            {
                throw new S3Exception(
                    S3Error.InvalidURI, "A parameter of the query is not percent-encoded UTF-8.");
            }

            if (all.Count == MaxParameters)
            {
                throw new S3Exception(
                    S3Error.InvalidURI, $"The query has more than {MaxParameters} parameters.");
            }

            all.Add(new KeyValuePair<string, string>(name, value));
        }

        return new QueryParameters(all.ToImmutable());
    }

    public bool Has(string name) => this[name] is not null;

    public int Count(string name) => _all.Count(p => p.Key == name);
}
